// Which keys are in force, and when is that read again? The keys of the configuration or
// of stateDir/keys, and those of the issuers, as a part of what is watched.
import { isDeepStrictEqual } from 'node:util'
import { folderFiles, openUpstreamKey, prepareUpstreamKey } from '../tokens/key-folder.ts'
import { readSigningKey, type SigningKey } from '../tokens/keys.ts'
import type { KeySource } from '../tokens/key-source.ts'
import {
  keyFileSentence,
  keyFolder,
  loadTrusted,
  prepareKeys,
  type KeysConfig,
  type TrustedKeys
} from '../tokens/trusted.ts'
import { stampsOf, type Stamps } from '../files/files.ts'
import { createLive, type Live } from '../lib/live.ts'
import type { LivePart, ReloadLog } from './part.ts'

export type LiveKeys = Live<TrustedKeys>

export interface OpenedKeys {
  readonly live: LiveKeys
  /** Signs what the upstream is sent, and nothing else; a restart alone reads it again. */
  readonly upstream: SigningKey
  /** Of the files, taken before they were read. */
  readonly stamps: Stamps
}

export type OpenedKeysResult =
  | { readonly ok: true, readonly opened: OpenedKeys }
  | { readonly ok: false, /** one line each */ readonly mistakes: readonly string[] }

/** Opens all keys for the first time, and makes those of stateDir/keys that are missing, unless `make` says not to. */
export async function openKeys (config: KeysConfig, { make = true } = {}): Promise<OpenedKeysResult> {
  try {
    const own = config.upstream?.keyFile
    if (make) {
      await prepareKeys(config)
      if (own === undefined) await prepareUpstreamKey(keyFolder(config))
    }
    const stamps = await stampsOf(await keyFiles(config))
    const upstream = await (own === undefined ? openUpstreamKey(keyFolder(config)) : readSigningKey(own, 'RS256'))
    const loaded = await loadTrusted(config, upstream)
    return loaded.ok ? { ok: true, opened: { live: createLive(loaded.trusted), upstream, stamps } } : loaded
  } catch (error) {
    return { ok: false, mistakes: [keyFileSentence(error)] }
  }
}

/**
 * Keys, as a part that can be read again.
 * @param now seconds since the epoch
 * @param fetching begins to fetch keys that are had from URLs
 */
export function keysPart (
  { live, upstream }: Pick<OpenedKeys, 'live' | 'upstream'>,
  now: () => number,
  fetching = followIssuers
): LivePart {
  return {
    files: keyFiles,
    async load ({ config }, log) {
      const before = live.current
      const loaded = await loadTrusted(config, upstream, before)
      if (!loaded.ok) return { changed: [], mistakes: loaded.mistakes, again: true } // few files, and small ones
      putKeys(live, loaded.trusted, fetching, log)
      const [was, is] = [summary(before, now()), summary(loaded.trusted, now())]
      const isSame = isDeepStrictEqual(was, is)
      if (!isSame) log.info(is, 'keys were read again')
      return { changed: isSame ? [] : ['tokens.keys'], mistakes: [], again: false }
    }
  }
}

/** Puts them in force. @param fetching begins to fetch keys that are had from URLs which were not asked before */
export function putKeys (live: LiveKeys, next: TrustedKeys, fetching: Fetching, log: ReloadLog): void {
  const { issuers: before } = live.current
  live.current = next
  for (const issuer of before) if (!next.issuers.includes(issuer)) issuer.remote?.close()
  fetching(next.issuers.filter(issuer => !before.includes(issuer)), log)
}

/** Somebody whose keys count here, by name. */
export interface Publisher extends Pick<KeySource, 'remote'> { readonly config: { readonly name: string } }

export type Fetching = (publishers: readonly Publisher[], log: ReloadLog) => void

/** Begins to fetch keys that are had from URLs. */
export function followIssuers (issuers: readonly Publisher[], log: ReloadLog): void {
  for (const { config: { name }, remote } of issuers) {
    remote?.follow({
      fetched (keys) {
        log.info({ issuer: name, keys: keys.length }, 'the keys of a token server were fetched')
        if (keys.length === 0) {
          log.warn({ issuer: name }, 'the key set of a token server has no key that verifies: its tokens are refused')
        }
      },
      failed (reason) {
        log.warn(
          { issuer: name, reason },
          'the keys of a token server cannot be fetched: what was fetched last stays in force'
        )
      }
    })
  }
}

/** Every file and folder whose change may change a key. */
export async function keyFiles (config: KeysConfig): Promise<readonly string[]> {
  const { keys, issuers } = config.tokens
  const own = keys.length === 0
    ? await folderFiles(keyFolder(config))
    : keys.filter(({ state }) => state !== 'retired').map(({ file }) => file)
  return [...own, ...issuers.flatMap(({ publicKey, jwksFile }) => publicKey ?? jwksFile ?? [])]
}

function summary ({ ring, issuers }: TrustedKeys, now: number): object {
  return {
    keys: ring.states(now).map(({ key: { kid }, state }) => `${kid} ${state}`),
    issuers: issuers.map(({ config: { name }, keys, remote }) => {
      return remote === undefined ? `${name} ${keys().length}` : name // what is fetched is said by who fetches it
    })
  }
}
