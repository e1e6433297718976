// What is a worker to its primary, and who in the primary has to do with all of them?
import type { Channel, ToPrimary, ToWorker } from './messages.ts'

/** A worker, as the primary sees it. */
export interface Member extends Channel<ToPrimary, ToWorker> {
  readonly pid: number | undefined
  /** Ends it at once. */
  kill (): void
  /** Resolves when nothing that was sent to it waits here any more; one that stands still lets it wait. */
  taken (): Promise<void>
}

/** Somebody whom workers ask for something. */
export interface Office {
  /** It hears, and has been told how it begins. */
  begin? (member: Member): void
  /** From now on it may ask. Before this a worker has no index and takes no request: it joins before it listens. */
  join (member: Member): void
  /** Its process has ended. */
  leave (member: Member): void
}
