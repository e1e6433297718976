// How does Go write a text in JSON, and in which order are its texts? ChartMuseum's answers
// and Helm's manifests are encoding/json's bytes: keys of maps in order, `<`, `>` and `&` escaped.

const ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029'
}

/** A string of json.Marshal of Go 1.22 and later (encoding/json/encode.go). */
export function goJsonString (value: string): string {
  const json = JSON.stringify(value)
  return /[<>&\u2028\u2029]/.test(json)
    ? json.replace(/[<>&\u2028\u2029]/g, character => ESCAPES[character] as string)
    : json
}

/** The order of Go's strings: by UTF-8 bytes, which is the order of code points. */
export function compareBytes (a: string, b: string): number {
  if (a === b) return 0
  // UTF-16 has another order only where a surrogate meets U+E000 and above.
  return /[\ud800-\uffff]/.test(a + b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1
}
