// Keys for tests: each pair is made once per process, when it is first asked for.
import { generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import type { SigningKey } from '../../src/tokens/keys.ts'

const made = new Map<string, Promise<SigningKey>>()

/** The gateway's own key. */
export async function ourKey (): Promise<SigningKey> { return await keyNamed('ours') }

/** A key of somebody else, as good as ours but for being unknown. */
export async function strangersKey (): Promise<SigningKey> { return await keyNamed('stranger') }

/** A key by any name; the same name is the same key. */
export async function keyNamed (name: string): Promise<SigningKey> {
  const before = made.get(name)
  if (before !== undefined) return await before
  const key = makeKey(name)
  made.set(name, key)
  return await key
}

async function makeKey (name: string): Promise<SigningKey> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { kid: await calculateJwkThumbprint(await exportJWK(publicKey)), alg: 'RS256', privateKey, publicKey, file: `${name}.pem` }
}
