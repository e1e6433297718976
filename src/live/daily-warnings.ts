// What is not as it was meant, without anybody changing a file? Said at the start and once a
// day, because secrets and certificates end by themselves, and token servers lose their keys.
import type { Every } from '../lib/timers.ts'
import { MAY_NOT_BE_MEANT, warningsOf, type Policy } from './authority.ts'
import { issuerWarnings, providerWarnings } from './issuer-warnings.ts'
import type { LiveFederation } from './live-federation.ts'
import type { LiveKeys } from './live-keys.ts'
import { certificateWarnings, schemeWarnings } from './certificate-warnings.ts'
import type { OpenedTls } from './live-tls.ts'
import type { Settings } from './settings.ts'
import type { ReloadLog } from './part.ts'
import type { OpenedAuthority } from './reload.ts'

export interface DailyOptions {
  readonly settings: Pick<Settings, 'current'>
  readonly authority: OpenedAuthority
  /** Of token servers the first fetch says it at the start (live-keys.ts). */
  readonly keys: LiveKeys
  readonly federation: LiveFederation
  readonly tls: Pick<OpenedTls, 'parts'>
  readonly log: Pick<ReloadLog, 'warn'>
  readonly every: Every
  /** Seconds since the epoch. */
  readonly now: () => number
}

/** Milliseconds. */
const DAY = 86_400_000

/** Says those of the start, and each day those of what is in force then. @returns what ends it */
export function warnDaily (
  { settings, authority: { live, warnings }, keys, federation, tls, log, every, now }: DailyOptions
): () => void {
  const warn = (found: readonly string[]): void => {
    for (const warning of found) log.warn({ warning }, MAY_NOT_BE_MEANT)
  }
  warn([...warnings, ...schemeWarnings(settings.current), ...certificateWarnings(tls, now())])
  return every(DAY, () => {
    const { accounts, policies } = live.current
    void Promise.all([
      warningsOf({ ...settings.current, policy: policies.at(-1) as Policy }, accounts, now()),
      issuerWarnings(keys.current.issuers),
      providerWarnings(federation.current.providers)
    ]).then(found => { warn([...found.flat(), ...certificateWarnings(tls, now())]) })
  })
}
