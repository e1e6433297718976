// How do keys get from one process of ours to another? As PEM texts of what is in force,
// which may be more than can be read from their files at that moment: while a key file is
// broken a worker that starts goes on with what all others go on with.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { createIssuer, sameIssuer, type Issuer, type IssuerConfig } from './issuers.ts'
import type { IssuerKey } from './issuer-keys.ts'
import { thumbprintOf, type OwnAlgorithm, type SigningKey, type VerifyingKey } from './keys.ts'
import { createRing, type DatedKey } from './ring.ts'
import type { TrustedKeys } from './trusted.ts'

interface KeyData {
  /** A private key for one that signs, a public one for any other. */
  readonly pem: string
  readonly alg: OwnAlgorithm
  readonly file: string
  /** Where it signs: from when on, in seconds since the epoch. */
  readonly since?: number
}

/** A key of somebody else. */
export type IssuerKeyData = Pick<IssuerKey, 'algorithms'> & { readonly pem: string, readonly kid?: string }

interface IssuerData {
  readonly config: IssuerConfig
  /** Of a file; what comes from a URL is fetched anew. */
  readonly keys: readonly IssuerKeyData[]
}

export interface KeysData {
  readonly upstream: KeyData
  readonly own: readonly KeyData[]
  readonly issuers: readonly IssuerData[]
}

/** @param now seconds since the epoch */
export function keysData ({ ring, issuers }: TrustedKeys, upstream: SigningKey, now: number): KeysData {
  return {
    upstream: keyDataOf(upstream, 0),
    own: ring.states(now).map(({ key, since }) => keyDataOf(key, since)),
    issuers: issuers.map(({ config, keys, remote }) => ({
      config,
      keys: remote === undefined ? issuerKeysData(keys()) : []
    }))
  }
}

export function issuerKeysData (keys: readonly IssuerKey[]): IssuerKeyData[] {
  return keys.map(({ kid, algorithms, publicKey }) => ({
    algorithms,
    pem: publicPem(publicKey),
    ...(kid === undefined ? {} : { kid })
  }))
}

export async function issuerKeysOf (data: readonly IssuerKeyData[]): Promise<IssuerKey[]> {
  return await Promise.all(data.map(async ({ kid, algorithms, pem }): Promise<IssuerKey> => {
    const publicKey = createPublicKey(pem)
    return { kid, thumbprint: await thumbprintOf(publicKey), algorithms, publicKey }
  }))
}

function publicPem (key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }) as string
}

function keyDataOf (key: VerifyingKey | SigningKey, since: number | undefined): KeyData {
  const { alg, file, publicKey } = key
  if (since === undefined) return { pem: publicPem(publicKey), alg, file }
  return { pem: (key as SigningKey).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, alg, file, since }
}

/**
 * @param lifetime seconds that a token of ours lives at most
 * @param before issuers in force
 */
export async function keysOfData (
  { upstream, own, issuers }: KeysData,
  lifetime: number,
  before: readonly Issuer[] = []
): Promise<{ readonly upstream: SigningKey, readonly trusted: TrustedKeys }> {
  const keys = await Promise.all(own.map(async data => ({ key: await keyOf(data), since: data.since })))
  // There is always one that signs.
  const signers = keys.filter((each): each is DatedKey => each.since !== undefined) as [DatedKey]
  const verifiers = keys.flatMap(({ key, since }) => since === undefined ? [key] : [])
  const upstreamKey = await keyOf(upstream) as SigningKey
  return {
    upstream: upstreamKey,
    trusted: {
      ring: createRing(signers, verifiers, lifetime),
      issuers: await Promise.all(issuers.map(async issuer => await issuerOf(issuer, before))),
      ours: new Set([upstreamKey, ...keys.map(({ key }) => key)].map(({ kid }) => kid))
    }
  }
}

async function keyOf ({ pem, alg, file, since }: KeyData): Promise<VerifyingKey | SigningKey> {
  const publicKey = createPublicKey(pem)
  const key = { kid: await thumbprintOf(publicKey), alg, publicKey, file }
  return since === undefined ? key : { ...key, privateKey: createPrivateKey(pem) }
}

async function issuerOf ({ config, keys }: IssuerData, before: readonly Issuer[]): Promise<Issuer> {
  return sameIssuer(config, before) ?? createIssuer(config, await issuerKeysOf(keys))
}
