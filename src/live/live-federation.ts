// Whose jobs have an identity here now? A part of the configuration's own file and of key sets
// in files: what it takes away counts with everything else that the file says, and so does what
// it adds. Keys from URLs are fetched behind the requests, and stay while nothing is changed.
import { stampsOf, type Stamps } from '../files/files.ts'
import type { FederationConfig } from '../identity/federation/federation-config.ts'
import { createFederation, openFederation, sourceOf, type Federation } from '../identity/federation/providers.ts'
import type { Config } from '../config/schema.ts'
import { createLive, type Live } from '../lib/live.ts'
import { issuerKeysData, issuerKeysOf, type IssuerKeyData } from '../tokens/keys-data.ts'
import { followIssuers } from './live-keys.ts'
import type { LivePart } from './part.ts'

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
      const before = live.current
      // What a rule took away counts also while a key set cannot be read.
      const opened = await openFederation(federation, before)
      live.current = opened.federation
      const [had, has] = [before, live.current].map(({ providers }) => new Set(providers.map(({ remote }) => remote)))
      for (const { remote } of before.providers) if (has?.has(remote) !== true) remote?.close()
      fetching(live.current.providers.filter(({ remote }) => had?.has(remote) !== true), log)
      const { mistakes } = opened
      return { changed: [], mistakes, again: mistakes.length > 0 } // what changed is among the settings
    }
  }
}

/** Every file whose change may change a provider's keys. */
export function federationFiles ({ federation }: Federating): string[] {
  return federation.providers.flatMap(({ jwksFile }) => jwksFile ?? [])
}

/** Of each provider, in the configuration's order: what its file held; what comes from a URL is fetched anew. */
export type FederationData = readonly (readonly IssuerKeyData[])[]

export function federationData ({ providers }: Federation): FederationData {
  return providers.map(({ keys, remote }) => remote === undefined ? issuerKeysData(keys()) : [])
}

/** What was in force in another process. */
export async function federationOfData (config: FederationConfig, data: FederationData): Promise<Federation> {
  const sources = await Promise.all(config.providers.map(async (provider, i) => {
    return sourceOf(provider, await issuerKeysOf(data[i] as FederationData[number]))
  }))
  return createFederation(config, sources)
}
