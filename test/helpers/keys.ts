// Keys for tests: each pair is made once per process, when it is first asked for.
import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto'
import { thumbprintOf, type OwnAlgorithm, type SigningKey } from '../../src/tokens/keys.ts'
import { createRing } from '../../src/tokens/ring.ts'
import type { Issuer } from '../../src/tokens/issuers.ts'
import type { TrustedKeys } from '../../src/tokens/trusted.ts'

const made = new Map<string, Promise<SigningKey>>()

/** The gateway's own key. */
export async function ourKey (): Promise<SigningKey> { return await keyNamed('ours') }

/** Our key alone in force. */
export async function ourKeys (): Promise<() => TrustedKeys> {
  const trusted = trusting([await ourKey()])
  return () => trusted
}

/** A key of somebody else, as good as ours but for being unknown. */
export async function strangersKey (): Promise<SigningKey> { return await keyNamed('stranger') }

/** A key by any name; the same name is the same key. */
export async function keyNamed (name: string, alg: OwnAlgorithm = 'RS256'): Promise<SigningKey> {
  const id = `${name} ${alg}`
  const before = made.get(id)
  if (before !== undefined) return await before
  const key = makeKey(name, alg)
  made.set(id, key)
  return await key
}

/** These keys in force: the first one signs. */
export function trusting (keys: readonly [SigningKey, ...SigningKey[]], issuers: readonly Issuer[] = []): TrustedKeys {
  const [active, ...verify] = keys
  return { ring: createRing([{ key: active, since: 0 }], verify, 300), issuers, ours: new Set(keys.map(({ kid }) => kid)) }
}

async function makeKey (name: string, alg: OwnAlgorithm): Promise<SigningKey> {
  const { privateKey, publicKey } = pairFor(alg)
  return { kid: await thumbprintOf(publicKey), alg, privateKey, publicKey, file: `${name}.pem` }
}

function pairFor (alg: OwnAlgorithm): KeyPairKeyObjectResult {
  switch (alg) {
    case 'RS256': return generateKeyPairSync('rsa', { modulusLength: 2048 })
    case 'ES256': return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    case 'EdDSA': return generateKeyPairSync('ed25519')
  }
}
