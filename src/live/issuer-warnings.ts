// Which token servers have no key that verifies? Their tokens are refused, which nobody
// notices here before somebody complains: `check` says it, and once a day the log.
import { showText } from '../files/mistakes.ts'
import type { Issuer } from '../tokens/issuers.ts'

/**
 * One line for each of the issuers without a key; those whose keys come from a URL are asked once more.
 * @param issuers all of `tokens.issuers`, in its order
 */
export async function issuerWarnings (issuers: readonly Issuer[]): Promise<string[]> {
  await Promise.all(issuers.map(async ({ remote }) => { await remote?.refresh() }))
  return issuers.flatMap(({ config: { name, jwksUrl }, keys }, i) => keys().length > 0
    ? []
    : [`tokens.issuers[${i}]: no key that verifies is to be had of ${name} now, at ${showText(String(jwksUrl))}`])
}
