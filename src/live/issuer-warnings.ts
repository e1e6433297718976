// Which token servers have no key that verifies? Their tokens are refused, which nobody
// notices here before somebody complains: `check` says it, and once a day the log.
import { showText } from '../files/mistakes.ts'
import type { KeySource } from '../tokens/key-source.ts'
import type { Provider } from '../identity/federation/providers.ts'
import type { Issuer } from '../tokens/issuers.ts'

/**
 * One line for each of the issuers without a key; those whose keys come from a URL are asked once more.
 * @param issuers all of `tokens.issuers`, in its order
 */
export async function issuerWarnings (issuers: readonly Issuer[]): Promise<string[]> {
  return await withoutKeys('tokens.issuers', issuers)
}

/** The same of the issuers of jobs. @param providers all of `federation.providers`, in its order */
export async function providerWarnings (providers: readonly Provider[]): Promise<string[]> {
  return await withoutKeys('federation.providers', providers)
}

interface Named extends KeySource { readonly config: Pick<Issuer['config'], 'name' | 'jwksUrl' | 'issuer'> }

async function withoutKeys (list: string, all: readonly Named[]): Promise<string[]> {
  await Promise.all(all.map(async ({ remote }) => { await remote?.refresh() }))
  return all.flatMap(({ config: { name, jwksUrl, issuer }, keys }, i) => keys().length > 0
    ? []
    : [`${list}[${i}]: no key that verifies is to be had of ${name} now, at ${showText(String(jwksUrl ?? issuer))}`])
}
