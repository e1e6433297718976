// What does the rest of a line `key: value` say? For whoever looks for one line of a document
// that is more than YAML, such as a provenance file: quotes, blanks and a comment are
// none of the text.

/** The text; a value over several lines is its first line. */
export function textOfLine (value: string): string {
  const text = value.trim()
  const quote = text.charAt(0)
  if (quote === '"' || quote === '\'') {
    const end = text.indexOf(quote, 1)
    return end < 0 ? text : text.slice(1, end)
  }
  const comment = text.search(/\s#/)
  return comment < 0 ? text : text.slice(0, comment).trimEnd()
}
