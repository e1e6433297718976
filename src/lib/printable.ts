// How does a text of somebody else's stand in a line that people and programs read? With
// nothing in it that ends a line, turns its direction or cannot be seen.

/** Control and format characters, halves of a character, and the line ends that some readers have besides LF. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** The same text, with an escape such as `\u{202e}` for each character of which one sees nothing. */
export function printable (text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text
  return text.replace(UNSEEN, character => `\\u{${(character.codePointAt(0) as number).toString(16)}}`)
}

/** The text in quotes for a sentence, as JSON writes it, and no more of it than so many characters. */
export function inQuotes (text: string, longest: number): string {
  return JSON.stringify(text.length > longest ? `${text.slice(0, longest)}…` : text)
}
