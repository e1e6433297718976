// How does a name stand in a path? In one spelling: letters, digits and `._~+-` as they
// are, everything else as the percent-encoding of its UTF-8 (RFC 3986 section 2), so that
// whoever reads the path finds the same name in it, and one name has one path.

const AS_IT_IS = /^[A-Za-z0-9._~+-]*$/

/** The one spelling of a text. @param text has no half of a surrogate pair */
export function encodeSegment (text: string): string {
  if (AS_IT_IS.test(text)) return text
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2B', '+')
}

/**
 * The text of a segment, decoded once.
 * @param raw in its one spelling; `%2B` stands for `+` too
 * @returns undefined for any other spelling
 */
export function decodeSegment (raw: string): string | undefined {
  if (AS_IT_IS.test(raw)) return raw
  const canonical = raw.replace(/%2B/gi, '+')
  try {
    const text = decodeURIComponent(canonical)
    return encodeSegment(text) === canonical ? text : undefined
  } catch {
    return undefined // not UTF-8, or no encoding at all
  }
}
