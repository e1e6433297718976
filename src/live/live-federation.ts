// Whose jobs have an identity here now? A part of the configuration's own file and of key sets
// in files: what it takes away counts with everything else that the file says, and so does what
// it adds. Keys from URLs are fetched behind the requests, and stay while nothing is changed.
import { stampsOf, type Stamps } from '../files/files.ts'
import type { FederationConfig } from '../identity/federation/federation-config.ts'
import {
  createFederation, NO_FEDERATION, openFederation, sourceOf, type Federation
} from '../identity/federation/providers.ts'
import type { Config } from '../config/schema.ts'
import { createLive, type Live } from '../lib/live.ts'
import { issuerKeysData, issuerKeysOf, type IssuerKeyData } from '../tokens/keys-data.ts'
import { followIssuers, type Fetching } from './live-keys.ts'
import type { LivePart, ReloadLog } from './part.ts'

export type LiveFederation = Live<Federation>

export interface OpenedFederation {
  readonly live: LiveFederation
  /** Of the files, taken before they were read. */
  readonly stamps: Stamps
}

export type OpenedFederationResult =
  | { readonly ok: true, readonly opened: OpenedFederation }
  | { readonly ok: false, /** one line each */ readonly mistakes: readonly string[] }

type Federating = Pick<Config, 'federation'>

/** Reads what is in files for the first time. */
export async function openLiveFederation ({ federation }: Federating): Promise<OpenedFederationResult> {
  const stamps = await stampsOf(federationFiles({ federation }))
  const { federation: opened, mistakes } = await openFederation(federation)
  return mistakes.length === 0
    ? { ok: true, opened: { live: createLive(opened), stamps } }
    : { ok: false, mistakes }
}

/** @param fetching begins to fetch keys that are had from URLs; a process that verifies no tokens does not */
export function federationPart (live: LiveFederation, fetching = followIssuers): LivePart {
  return {
    files: async config => federationFiles(config),
    async load ({ config: { federation } }, log) {
      // What a rule took away counts also while a key set cannot be read.
      const { federation: opened, mistakes } = await openFederation(federation, live.current)
      putFederation(live, opened, fetching, log)
      return { changed: [], mistakes, again: mistakes.length > 0 } // what changed is among the settings
    }
  }
}

/** Puts it in force. @param fetching begins to fetch keys that are had from URLs which were not asked before */
export function putFederation (live: LiveFederation, next: Federation, fetching: Fetching, log: ReloadLog): void {
  const before = live.current
  live.current = next
  const [had, has] = [before, next].map(({ providers }) => new Set(providers.map(({ remote }) => remote)))
  for (const { remote } of before.providers) if (has?.has(remote) !== true) remote?.close()
  fetching(next.providers.filter(({ remote }) => had?.has(remote) !== true), log)
}

/** Every file whose change may change a provider's keys. */
export function federationFiles ({ federation }: Federating): string[] {
  return federation.providers.flatMap(({ jwksFile }) => jwksFile ?? [])
}

/** As plain data, for another process. */
export interface FederationData {
  readonly config: FederationConfig
  /** Of each provider: what its file held; what comes from a URL each process fetches itself. */
  readonly keys: readonly (readonly IssuerKeyData[])[]
}

export function federationData ({ config, providers }: Federation): FederationData {
  return { config, keys: providers.map(({ keys, remote }) => remote === undefined ? issuerKeysData(keys()) : []) }
}

/** What is in force in another process. @param before what is in force here */
export async function federationOfData ({ config, keys }: FederationData, before = NO_FEDERATION): Promise<Federation> {
  const sources = await Promise.all(config.providers.map(async (provider, i) => {
    return sourceOf(provider, await issuerKeysOf(keys[i] as FederationData['keys'][number]), before)
  }))
  return createFederation(config, sources)
}
