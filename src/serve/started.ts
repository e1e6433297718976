// What a process needs to begin to serve, and what comes of it.
import type { AppDependencies } from '../app.ts'
import type { OpenedAuthority, Reload } from '../live/reload.ts'
import type { Stoppable } from './until-signal.ts'
import type { forkWorker } from './workers/fork.ts'

export interface ServeOptions {
  /** A chart folder to package at the first start, and a walkthrough to print. */
  readonly demoChart?: string
  /** Who there is, and who may do what. */
  readonly authority: OpenedAuthority
  /** Reads the configuration again, after one of its files changed. */
  readonly reload: Reload
  /** Text for the person at a terminal who started it; without one the log says it. */
  readonly announce?: (text: string) => void
  /** Where log lines go. */
  readonly logStream: AppDependencies['logStream']
  /** Makes a worker; a process that runs this program if left out. */
  readonly fork?: typeof forkWorker
}

export type StartResult =
  | { readonly ok: true } & Stoppable
  | { readonly ok: false, readonly message: string }

export type ServeResult =
  | { readonly ok: true, readonly closed: Promise<void> }
  | { readonly ok: false, readonly message: string }
