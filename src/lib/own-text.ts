// How is a text kept without what it was cut from? V8 makes no copy of a part of a text, which
// holds all of that for as long as it is kept itself.

/** The same text, in memory of its own. */
export function ownText (text: string): string {
  return Buffer.from(text).toString()
}
