// Is it text? Bytes that are no UTF-8 would be taken for U+FFFD, whichever they are.

/** The text of these bytes, without a byte order mark; undefined when they are no UTF-8. */
export function utf8Of (bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
