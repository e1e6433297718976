// What does a client have already, and in which form can it take the rest? The two
// request headers that an answer from memory looks at.

/** True when an If-None-Match has the entity tag; compared weakly (RFC 9110 sections 8.8.3.2 and 13.1.2). */
export function knowsEtag (header: string, etag: string): boolean {
  if (header === etag) return true
  return header.trim() === '*' || (header.match(/(?:W\/)?"[^"]*"/g) ?? []).some(each => each.replace(/^W\//, '') === etag)
}

/** True when an Accept-Encoding has gzip, and not with the weight 0 (RFC 9110 section 12.5.3). */
export function acceptsGzip (header: string): boolean {
  if (header === 'gzip') return true
  return header.split(',').some(each => /^\s*(?:x-)?gzip\s*(?:;\s*q\s*=\s*(?:1(?:\.0*)?|0?\.\d*[1-9]\d*)\s*)?$/i.test(each))
}
