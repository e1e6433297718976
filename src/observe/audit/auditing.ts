// Where do lines of the audit log go, and what is recorded beyond the rule? One value for
// a process: whoever tells of requests gets it.
import type { Naming } from './event.ts'

/** What becomes of a line that cannot be written now: nothing, or it waits until it can be. */
export type IfNot = 'drop' | 'keep'

/** Where lines go. */
export interface AuditOutput {
  /** Takes a whole line and never waits: what there is no room for is counted, and said. */
  write (line: string): void
  /**
   * With `audit.required`: resolves true when the line is on the disk, and false when it is not in time; undefined
   * while nothing is required. Asked anew for each line: it changes while the process runs.
   */
  readonly record?: ((line: string, ifNot: IfNot) => Promise<boolean>) | undefined
}

/** The same, and what stands in a line for a name of nobody. */
export interface AuditPlace extends Pick<Naming, 'hashName'> {
  readonly output: AuditOutput
}

export interface Auditing extends AuditPlace, Naming {
  /** Allowed reads are recorded too. */
  readonly reads: () => boolean
  /** By which way requests come, where that is not the gateway's own. */
  readonly door?: 'authz'
}
