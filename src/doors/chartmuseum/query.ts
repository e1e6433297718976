// Which of a route's query parameters does the request carry? Read exactly as
// ChartMuseum's Go reads them (net/url.ParseQuery: pairs split at `&`, a pair with
// `;` or a broken percent-encoding is ignored, names decoded once, the first value
// counts), because the right that is asked for depends on it. Go 1.26 reads
// nothing of a query with more than 10,000 pairs, older versions may: here all of them
// count, so that `force` is never overlooked.

/**
 * @param raw the query without its `?`
 * @param known the parameters that mean something on the route
 * @returns the known ones with their decoded values; everything else is dropped
 */
export function readQuery (raw: string, known: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {}
  if (raw === '' || known.length === 0) return found
  for (const pair of raw.split('&')) {
    if (pair.includes(';')) continue
    const equals = pair.indexOf('=')
    const name = queryUnescape(equals < 0 ? pair : pair.slice(0, equals))
    const value = queryUnescape(equals < 0 ? '' : pair.slice(equals + 1))
    if (name === undefined || value === undefined) continue
    if (known.includes(name) && found[name] === undefined) found[name] = value
  }
  return found
}

/** url.QueryUnescape: `+` is a space; undefined when the encoding is broken. */
function queryUnescape (text: string): string | undefined {
  if (!/[%+]/.test(text)) return text
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    // Bytes that are not UTF-8, which Go takes: `force=%ff` overwrites. No name that
    // is known and no number has any, so what they were does not matter.
    return '\ufffd'
  }
}
