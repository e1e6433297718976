// What the primary process and its workers say to each other.
import type { Piece } from '../../lib/pieces.ts'
import type { Beginning } from '../../limits/guesses.ts'
import type { Admission, Login, Outcome } from '../../limits/login.ts'
import type { ToldChange } from '../../upstream/change.ts'
import type { AddressState } from '../addresses.ts'
import type { Snapshot } from '../../metrics/meter.ts'
import type { OfLibrary } from '../../metrics/prom.ts'
import type { IfNot } from '../../observe/audit/auditing.ts'
import type { Shown, Use } from '../../tokens/spent.ts'

/** What a worker needs to know before it opens anything, beside what is in force. */
export interface WorkerSetup {
  /** Which of the workers it is, from 1; who takes the place of another has its number. */
  readonly number: number
  /** The embedded repository's socket, when there is one. */
  readonly socketPath?: string
  /** What all of them name credentials with. */
  readonly loginKey: string
  readonly audit: WorkerAudit
}

/** Where a worker's lines of the audit log go. */
export interface WorkerAudit {
  /** To its primary, which has a file for them; else into the stream of the log. */
  readonly toPrimary: boolean
  /** Somebody waits for the disk. */
  readonly required: boolean
}

export type ToWorker =
  | { readonly kind: 'begin', readonly setup: WorkerSetup }
  | { readonly kind: 'forget', readonly id: number, readonly change: ToldChange }
  | { readonly kind: 'all_forgot', readonly id: number }
  | { readonly kind: 'locked', readonly id: number }
  | { readonly kind: 'login_judged', readonly id: number, readonly admission: Admission }
  | { readonly kind: 'login_begun', readonly id: number, readonly beginning: Beginning }
  | { readonly kind: 'spent', readonly id: number, readonly use: Use }
  | { readonly kind: 'ping' }
  | { /** somebody looks */ readonly kind: 'count', readonly round: number }
  | { /** of what is in force (in-force.ts) */ readonly kind: 'in_force', readonly piece: Piece }
  | { /** who goes by all that came before says so */ readonly kind: 'up_to_date', readonly id: number }
  | { /** that was all of what is in force by now */ readonly kind: 'all_told' }
  | {
    readonly kind: 'audited'
    readonly id: number
    /** the lines have arrived, and are on the disk if that was asked for */
    readonly ok: boolean
  }
  | { readonly kind: 'audit_aim', readonly aim: WorkerAudit }
  | { readonly kind: 'stop' }

export type ToPrimary =
  | { readonly kind: 'hears' }
  | { readonly kind: 'joined' }
  | { /** it goes by what it was told, and asks whether that is all, before it listens */ readonly kind: 'all_told' }
  | { readonly kind: 'up_to_date', readonly id: number }
  | { readonly kind: 'listening', readonly address: string }
  | { readonly kind: 'failed', readonly message: string }
  | AuditMessage
  | { readonly kind: 'changed', readonly id: number, readonly change: ToldChange }
  | { readonly kind: 'forgot', readonly id: number }
  | { readonly kind: 'lock', readonly id: number, readonly name: string }
  | { readonly kind: 'unlock', readonly id: number, readonly name: string }
  | { readonly kind: 'login', readonly id: number, readonly asked: LoginQuestion }
  | { /** may its password be hashed now? */ readonly kind: 'login_begins', readonly id: number, readonly login: Login }
  | { /** a token is exchanged (spent.ts) */ readonly kind: 'spend', readonly id: number, readonly shown: Shown }
  | { readonly kind: 'followers', /** of upstream.urls */ readonly states: readonly AddressState[] }
  | { /** the upstream did not answer as it should */ readonly kind: 'upstream_trouble' }
  | {
    /** what it counted since it began */ readonly kind: 'counted'
    readonly snapshot: Snapshot
    /** With what the library knows: for who looks. */
    readonly library?: OfLibrary
    readonly round?: number
  }
  | { readonly kind: 'pong', /** what stands still in it */ readonly stuck?: string | undefined }

/** What is asked of the limits of logins, by the name of what asks there. */
export type LoginQuestion =
  | { readonly of: 'admit', readonly login: Login }
  | { readonly of: 'settle', readonly ticket: number, readonly outcome: Outcome }
  | { readonly of: 'let_in', readonly login: Login }
  | { readonly of: 'miss', readonly origin: string }

/** A line of the audit log, or several. */
export interface AuditMessage {
  readonly kind: 'audit'
  readonly id: number
  readonly lines: string
  /** Somebody waits until it is on the disk; what becomes of it if it cannot be. */
  readonly record?: IfNot
  /** How many were lost before it. */
  readonly lost: number
}

/** One end of the line between two processes; what was sent arrives in that order, or the other end is gone. */
export interface Channel<In, Out> {
  send (message: Out): void
  /** Every handler hears every message. */
  receive (handler: (message: In) => void): void
}
