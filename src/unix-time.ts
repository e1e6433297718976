// What time is it, in the seconds that tokens have (RFC 7519 section 2, NumericDate)?

export function unixTime (): number {
  return Math.floor(Date.now() / 1000)
}
