// How does what is in force in one process come to another one? As plain data: the whole to a
// worker that begins (inForce, beginWith), and from then on what has changed in its primary
// (changesOf, putInForce). So all of them go by the same, whatever their files say by now.
import { CLOCK } from '../lib/clock.ts'
import { createLive } from '../lib/live.ts'
import { keysData, keysOfData, type KeysData } from '../tokens/keys-data.ts'
import { createRevocations } from '../tokens/revocations.ts'
import { authorityOfData, authorityData, type AuthorityData } from './authority.ts'
import type { GoneBy } from './in-force.ts'
import { putKeys, type Fetching } from './live-keys.ts'
import type { ReloadLog } from './part.ts'
import type { Config } from '../config/schema.ts'
import { openCertificates, putCertificates } from './live-certificates.ts'
import { federationData, federationOfData, putFederation, type FederationData } from './live-federation.ts'
import { putTls, tlsData, tlsOfData, type TlsData } from './live-tls.ts'

/** What is in force, as plain data, for messages between two processes. */
export interface InForce {
  readonly config: Config
  readonly authority: AuthorityData
  readonly keys: KeysData
  readonly tls: TlsData
  readonly federation: FederationData
  /** What counts no more of the tokens that were issued. */
  readonly revoked: readonly string[]
}

interface Handed<Data> {
  /** What is replaced when it becomes another. */
  readonly values: (here: GoneBy) => readonly unknown[]
  readonly data: (here: GoneBy) => Data
}

const HANDED: { readonly [Part in keyof InForce]: Handed<InForce[Part]> } = {
  config: {
    values: ({ settings }) => [settings.current],
    data: ({ settings }) => settings.current
  },
  authority: {
    values: ({ authority }) => [authority.live.current],
    data: ({ authority }) => authorityData(authority.live.current)
  },
  keys: {
    values: ({ keys }) => [keys.live.current],
    data: ({ keys }) => keysData(keys.live.current, keys.upstream, CLOCK.wall())
  },
  tls: {
    values: ({ tls }) => tls.parts.map(({ live }) => live.current),
    data: ({ tls }) => tlsData(tls)
  },
  federation: {
    values: ({ federation }) => [federation.live.current],
    data: ({ federation }) => federationData(federation.live.current)
  },
  revoked: {
    values: ({ revocations }) => revocations.held.texts(),
    data: ({ revocations }) => revocations.held.texts()
  }
}

const PARTS = Object.keys(HANDED) as readonly (keyof InForce)[]

/** All of it. */
export function inForce (here: GoneBy): InForce {
  return dataOf(PARTS, here) as InForce
}

/** Says each time which parts are others than they were the last time, or at the call of this. */
export function changesOf (here: GoneBy): () => Partial<InForce> {
  const valuesNow = (): ReadonlyMap<keyof InForce, readonly unknown[]> => {
    return new Map(PARTS.map(part => [part, HANDED[part].values(here)]))
  }
  let before = valuesNow()
  return () => {
    const [was, is] = [before, valuesNow()]
    before = is
    return dataOf(PARTS.filter(part => !isSame(was.get(part) as unknown[], is.get(part) as unknown[])), here)
  }
}

function dataOf (parts: readonly (keyof InForce)[], here: GoneBy): Partial<InForce> {
  return Object.fromEntries(parts.map(part => [part, HANDED[part].data(here)]))
}

function isSame (one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((value, i) => value === other[i])
}

/** What another process goes by, for one that begins. */
export async function beginWith (
  { config: said, authority, keys, tls, federation, revoked }: InForce
): Promise<GoneBy> {
  const config = configOfData(said)
  const { upstream, trusted } = await keysOfData(keys, config.tokens.ttl)
  return {
    settings: createLive(config),
    authority: { live: createLive(await authorityOfData(authority)) },
    keys: { live: createLive(trusted), upstream },
    tls: tlsOfData(tls),
    certificates: openCertificates(config),
    federation: { live: createLive(await federationOfData(federation)) },
    revocations: { held: createRevocations(CLOCK, revoked) }
  }
}

/**
 * Puts in force here what is in force in the other process by now, all at once; one call at a
 * time. What is the same there stays as it is, with the keys that it has fetched.
 * @param fetching begins to fetch keys from URLs that were not asked before; `log` hears of it
 */
export async function putInForce (
  { settings, authority, keys, tls, certificates, federation, revocations }: GoneBy,
  changes: Partial<InForce>,
  log: ReloadLog,
  fetching: Fetching
): Promise<void> {
  const config = changes.config === undefined ? undefined : configOfData(changes.config)
  const authorized = changes.authority === undefined ? undefined : await authorityOfData(changes.authority)
  const { ttl } = settings.current.tokens // a restart alone changes it
  const { issuers } = keys.live.current
  const read = changes.keys === undefined ? undefined : await keysOfData(changes.keys, ttl, issuers)
  const before = federation.live.current
  const federated = changes.federation === undefined ? undefined : await federationOfData(changes.federation, before)
  if (config !== undefined) {
    settings.current = config
    putCertificates(certificates, config)
  }
  if (authorized !== undefined) authority.live.current = authorized
  if (read !== undefined) putKeys(keys.live, read.trusted, fetching, log)
  if (federated !== undefined) putFederation(federation.live, federated, fetching, log)
  if (changes.tls !== undefined) putTls(tls, changes.tls)
  if (changes.revoked !== undefined) revocations.held.add(changes.revoked)
}

/** A message is JSON, which has no undefined. */
function configOfData (said: Config): Config {
  return { ...said, upstream: { ...said.upstream, url: said.upstream.url } }
}
