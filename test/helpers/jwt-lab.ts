// Tokens taken apart and put together again, by hand: what no library would make.
type Json = Record<string, unknown>

export interface TokenParts { readonly header: Json, readonly payload: Json, readonly signature: string }

/** base64url of a text, or of a value's JSON. */
export function encode (value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

export function partsOf (token: string): TokenParts {
  const [header = '', payload = '', signature = ''] = token.split('.')
  return { header: decode(header), payload: decode(payload), signature }
}

/** The token with other claims and the signature of the old ones. */
export function withClaims (token: string, change: Json): string {
  return replacePart(token, 1, encode({ ...partsOf(token).payload, ...change }))
}

/** The token with another header and the signature of the old one. */
export function withHeader (token: string, change: Json): string {
  return replacePart(token, 0, encode({ ...partsOf(token).header, ...change }))
}

export function withSignature (token: string, signature: string): string {
  return replacePart(token, 2, signature)
}

function replacePart (token: string, index: number, text: string): string {
  return token.split('.').map((part, i) => i === index ? text : part).join('.')
}

function decode (part: string): Json {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Json
}
