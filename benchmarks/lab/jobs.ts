// Jobs of a CI platform, whose token a gateway knows by a key set in a file.
import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { signToken } from '../../src/tokens/signature.ts'
import type { Lab } from './lab.ts'
import { PUBLIC_URL, SERVICE } from './tokens.ts'

export interface Jobs {
  /** Keys of the configuration that let them in. */
  readonly federation: object
  /** An Authorization header with the token of one of them. */
  readonly authorization: string
}

const ISSUER = `${PUBLIC_URL.replace('http:', 'https:')}/jobs`
const LIFETIME = 7_200

/** A platform with one rule, and a job that it takes, whose token has as many claims as GitHub's have. */
export async function openJobs (lab: Lab): Promise<Jobs> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwksFile = join(await lab.stateDir(), 'jwks.json')
  await writeFile(jwksFile, JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'jobs', use: 'sig' }] }))
  const now = Math.floor(Date.now() / 1000)
  const others = Object.fromEntries(Array.from({ length: 24 }, (_, i) => [`claim_${i}`, `value ${i} of a job of this benchmark`]))
  const claims = { iss: ISSUER, aud: SERVICE, sub: 'build-7', iat: now, exp: now + LIFETIME, jti: 'one', ...others }
  return {
    federation: {
      providers: [{ name: 'jobs', issuer: ISSUER, kind: 'generic', audience: SERVICE, jwksFile }],
      rules: [{ provider: 'jobs', match: { sub: 'build-7' }, subject: 'ci:jobs:{sub}', repositories: ['org1/*'], actions: ['pull', 'push'], maxLifetime: '2h' }]
    },
    authorization: `Bearer ${await signToken(privateKey, { alg: 'RS256', typ: 'JWT', kid: 'jobs' }, claims)}`
  }
}
