// What does a process go by, and how is it kept at what the files say? With workers their
// primary alone reads files, and hands what is in force there to them (hand-over.ts).
import { CLOCK } from '../lib/clock.ts'
import { authorityPart } from './authority-part.ts'
import { followIssuers, keysPart, type OpenedKeys, type Publisher } from './live-keys.ts'
import type { LivePart, ReloadLog, ReloadReport } from './part.ts'
import { watchConfig, type ConfigWatch, type OpenedAuthority, type Reload } from './reload.ts'
import { certificatesPart, type LiveCertificates } from './live-certificates.ts'
import { federationPart, type OpenedFederation } from './live-federation.ts'
import { revocationsPart, type OpenedRevocations } from './live-revocations.ts'
import { settingsPart, type Settings } from './settings.ts'
import { tlsParts, type OpenedTls } from './live-tls.ts'

/** What a process goes by. */
export interface GoneBy {
  readonly settings: Settings
  readonly authority: Pick<OpenedAuthority, 'live'>
  readonly keys: Pick<OpenedKeys, 'live' | 'upstream'>
  readonly tls: Pick<OpenedTls, 'parts'>
  readonly certificates: LiveCertificates
  readonly federation: Pick<OpenedFederation, 'live'>
  readonly revocations: Pick<OpenedRevocations, 'held'>
}

/** Everybody else whose keys count. */
export function publishersOf ({ keys, federation }: Pick<GoneBy, 'keys' | 'federation'>): readonly Publisher[] {
  return [...keys.live.current.issuers, ...federation.live.current.providers]
}

/** Fetches no keys from URLs any more. */
export function endFetching (here: Pick<GoneBy, 'keys' | 'federation'>): void {
  for (const { remote } of publishersOf(here)) remote?.close()
}

/** The same with the files that it was read from. */
export interface Followed extends GoneBy {
  readonly authority: Pick<OpenedAuthority, 'live' | 'stamps'>
  readonly keys: OpenedKeys
  readonly tls: OpenedTls
  readonly federation: OpenedFederation
  readonly revocations: OpenedRevocations
  /** What this process alone has, besides. */
  readonly parts: readonly LivePart[]
  readonly reload: Reload
  /** Hears of what was read again. */
  readonly report: ReloadReport
}

/**
 * Keeps a process at what its files say.
 * @param fetching begins to fetch keys from URLs; a process that verifies no tokens does not
 */
export function follow (
  { settings, authority, keys, tls, certificates, federation, revocations, parts, reload, report }: Followed,
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
