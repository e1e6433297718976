// What does a worker begin with? Accounts, rules and keys as they are in force in its
// primary, whatever their files hold at that moment: so one that dies is replaced while a
// file is broken, and knows as all others do who has been revoked. From then on it watches
// the files itself.
import { CLOCK } from '../lib/clock.ts'
import { createLive } from '../lib/live.ts'
import { keysData, keysOfData, type KeysData } from '../tokens/keys-data.ts'
import { createRevocations } from '../tokens/revocations.ts'
import { authorityOfData, authorityData, type AuthorityData } from './authority.ts'
import { authorityPart } from './authority-part.ts'
import { followIssuers, keyFiles, keysPart, type OpenedKeys } from './live-keys.ts'
import type { LivePart, ReloadLog, ReloadReport } from './part.ts'
import { watchConfig, type ConfigWatch, type LiveAuthority, type OpenedAuthority, type Reload } from './reload.ts'
import type { Config } from '../config/schema.ts'
import { certificatesPart, openCertificates, type LiveCertificates } from './live-certificates.ts'
import {
  federationData, federationFiles, federationOfData, federationPart, type FederationData, type OpenedFederation
} from './live-federation.ts'
import { revocationsFile, revocationsPart, type OpenedRevocations } from './live-revocations.ts'
import { settingsPart, type Settings } from './settings.ts'
import { tlsData, tlsFiles, tlsOfData, tlsParts, type OpenedTls, type TlsData } from './live-tls.ts'

/** As plain data, for a message between two processes. */
export interface InForce {
  /** The newest configuration that could be used. */
  readonly config: Config
  readonly authority: AuthorityData
  readonly keys: KeysData
  readonly tls: TlsData
  readonly federation: FederationData
  /** What counts no more of the tokens that were issued. */
  readonly revoked: readonly string[]
  /** Of all files, as they were when they were read; left out when some of them cannot be used. */
  readonly stamps?: readonly (readonly [file: string, stamp: string])[]
}

export interface Followed {
  readonly settings: Settings
  readonly authority: Pick<OpenedAuthority, 'live' | 'stamps'>
  readonly keys: OpenedKeys
  readonly tls: OpenedTls
  readonly certificates: LiveCertificates
  readonly federation: OpenedFederation
  readonly revocations: OpenedRevocations
  /** What this process alone has, besides. */
  readonly parts?: readonly LivePart[]
  readonly reload: Reload
  /** Hears of what was read again; left out where another process does. */
  readonly report?: ReloadReport
}

/**
 * Keeps accounts, rules, keys and certificates of a process at what their files say.
 * @param fetching begins to fetch keys from URLs; a process that verifies no tokens does
 * not
 */
export function follow (
  { settings, authority, keys, tls, certificates, federation, revocations, parts = [], reload, report }: Followed,
  log: ReloadLog,
  fetching = followIssuers
): ConfigWatch {
  return watchConfig({
    parts: [
      settingsPart(settings),
      authorityPart(authority),
      keysPart(keys, CLOCK.wall, fetching),
      certificatesPart(certificates),
      federationPart(federation.live, fetching),
      revocationsPart(revocations),
      ...tlsParts(tls, CLOCK.wall),
      ...parts
    ],
    stamps: new Map([
      ...authority.stamps, ...keys.stamps, ...tls.stamps, ...federation.stamps, ...revocations.stamps
    ]),
    config: settings.current,
    reload,
    log,
    report
  })
}

/** What another process begins with. */
type Handed = Pick<Followed, 'authority' | 'keys' | 'tls' | 'federation' | 'revocations'>

export function inForce (
  { authority: { live }, keys, tls, federation, revocations }: Handed,
  watch: Pick<ConfigWatch, 'newest'>
): InForce {
  const { config, stamps } = watch.newest()
  return {
    config,
    authority: authorityData(live.current),
    keys: keysData(keys.live.current, keys.upstream, CLOCK.wall()),
    tls: tlsData(tls),
    federation: federationData(federation.live.current),
    revoked: revocations.held.texts(),
    ...(stamps === undefined ? {} : { stamps: [...stamps] })
  }
}

/**
 * What another process had in force, here. Files that are not known to be as they were
 * then are looked at first of all.
 */
export async function beginWith (
  { config: said, authority, keys, tls, federation, revoked, stamps }: InForce
): Promise<Omit<Followed, 'parts' | 'reload' | 'report'>> {
  // A message is JSON, which has no undefined.
  const config: Config = { ...said, upstream: { ...said.upstream, url: said.upstream.url } }
  const own = [...config.file === undefined ? [] : [config.file], ...config.secretFiles]
  const known = new Map(
    stamps ??
      [...own, ...await filesNamed(config)].map(file => [file, NEVER_SEEN])
  )
  const live: LiveAuthority = createLive(await authorityOfData(authority))
  const { upstream, trusted } = await keysOfData(keys, config.tokens.ttl)
  return {
    settings: createLive(config),
    authority: { live, stamps: known },
    keys: { live: createLive(trusted), upstream, stamps: known },
    tls: tlsOfData(tls, known),
    certificates: openCertificates(config),
    federation: { live: createLive(await federationOfData(config.federation, federation)), stamps: known },
    revocations: { held: createRevocations(CLOCK, revoked), stamps: known }
  }
}

async function filesNamed (config: Config): Promise<readonly string[]> {
  const ofKeys = [...await keyFiles(config), ...tlsFiles(config)]
  return [...config.accounts.files, ...ofKeys, ...federationFiles(config), revocationsFile(config)]
}

/** No file's stamp. */
const NEVER_SEEN = ''
