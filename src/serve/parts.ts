// What does a process need before it can speak to anybody? Its folder, the audit log, keys and
// certificates, as the configuration names them. What hinders one of them is said in a sentence.
import { mkdir } from 'node:fs/promises'
import type { Config } from '../config/schema.ts'
import { CLOCK } from '../lib/clock.ts'
import { openCertificates, type LiveCertificates } from '../live/live-certificates.ts'
import { openLiveFederation, type OpenedFederation } from '../live/live-federation.ts'
import { openKeys, type OpenedKeys } from '../live/live-keys.ts'
import { openRevocations, type OpenedRevocations } from '../live/live-revocations.ts'
import { openTls, type OpenedTls } from '../live/live-tls.ts'
import type { AuditPlace } from '../observe/audit/auditing.ts'
import { openNameHash } from '../observe/audit/name-key.ts'
import { openAudit, type OpenedAudit } from './audit.ts'
import type { Front } from './front.ts'
import type { Lifecycle } from './lifecycle.ts'
import { claimStateDir, type StateDir } from './state-dir.ts'

export interface Parts {
  readonly stateDir: StateDir
  readonly audit: OpenedAudit & AuditPlace
  readonly keys: OpenedKeys
  readonly tls: OpenedTls
  readonly certificates: LiveCertificates
  readonly federation: OpenedFederation
  readonly revocations: OpenedRevocations
}

export type PartsResult =
  | { readonly ok: true, readonly parts: Parts }
  | { readonly ok: false, readonly message: string }

/**
 * Opens them; what hinders that comes back in sentences.
 * @param stream the log's
 * @throws what the file system does
 */
export async function openParts (
  config: Config,
  { opened }: Pick<Lifecycle<Front>, 'opened'>,
  stream: Parameters<typeof openAudit>[1],
  log: Parameters<typeof openAudit>[2]
): Promise<PartsResult> {
  await mkdir(config.stateDir, { recursive: true, mode: 0o700 })
  const claim = await claimStateDir(config.stateDir)
  if (!claim.ok) return claim
  opened.push(claim.release)
  const audit = await openAudit(config, stream, log)
  if (!audit.ok) return audit
  opened.push(audit.opened.close)
  const hashName = await openNameHash(config.stateDir)
  const keys = await openKeys(config)
  if (!keys.ok) return failed(keys.mistakes)
  const tls = await openTls(config, CLOCK.wall())
  if (!tls.ok) return failed(tls.mistakes)
  const certificates = openCertificates(config)
  const federation = await openLiveFederation(config)
  if (!federation.ok) return failed(federation.mistakes)
  const revocations = await openRevocations(config, CLOCK)
  if (!revocations.ok) return revocations
  return {
    ok: true,
    parts: {
      stateDir: claim,
      audit: { ...audit.opened, hashName },
      keys: keys.opened,
      tls: tls.opened,
      certificates,
      federation: federation.opened,
      revocations: revocations.opened
    }
  }
}

function failed (mistakes: readonly string[]): { readonly ok: false, readonly message: string } {
  return { ok: false, message: mistakes.join('\nchartgate: ') }
}
