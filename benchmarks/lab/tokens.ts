// Tokens of clients: chartgate's own, and those that ChartMuseum's bearer auth takes.
import type { Grant } from '../../src/words/access.ts'
import { issueToken } from '../../src/tokens/issue.ts'
import type { SigningKey } from '../../src/tokens/keys.ts'
import type { Lab } from './lab.ts'
import { TENANT } from './server.ts'

/** As clients know the gateway, wherever it listens: so a token is good at each of a lab's gateways. */
export const PUBLIC_URL = 'http://charts.example.test'
export const SERVICE = 'charts.example.test'
export const USER = 'bench'
/** Seconds: tokens.ttl as shipped, and for ChartMuseum, which takes any, as long as a run. */
const [TTL, LONG_TTL] = [300, 7_200]
const AT_ONCE = 100

/** A token of chartgate's, as its token endpoint issues it to a user. */
export async function clientToken ({ keys }: Lab, tenant = TENANT): Promise<string> {
  return await tokenOf(keys.signing, TTL, { type: 'artifact-repository', name: tenant, actions: ['pull', 'push', 'delete'] })
}

/** The same for one repository of a registry, as Docker's clients ask for it: any registry that knows the lab's key takes it. */
export async function registryToken ({ keys }: Lab, name: string): Promise<string> {
  return await tokenOf(keys.signing, TTL, { type: 'repository', name, actions: ['pull', 'push'] })
}

/** The same for ChartMuseum, which knows two actions and takes what the upstream key signs. */
export async function chartMuseumToken ({ keys }: Lab, tenant = TENANT): Promise<string> {
  return await tokenOf(keys.upstream, LONG_TTL, { type: 'artifact-repository', name: tenant, actions: ['pull', 'push'] })
}

/** So many different ones. */
export async function manyTokens (count: number, make: () => Promise<string>): Promise<string[]> {
  const tokens: string[] = []
  while (tokens.length < count) tokens.push(...await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - tokens.length) }, make)))
  return tokens
}

async function tokenOf (key: SigningKey, ttl: number, grant: Grant): Promise<string> {
  const { token } = await issueToken(key, { issuer: PUBLIC_URL, audience: SERVICE, ttl }, `user:${USER}`, [grant], Math.floor(Date.now() / 1000))
  return token
}
