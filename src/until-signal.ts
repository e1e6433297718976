// When does a process that serves end? On SIGTERM or SIGINT, after what runs has ended
// or its time is up. Asked by the two commands that serve.
import closeWithGrace from 'close-with-grace'

/** Milliseconds that running requests get after a signal; above the longest pause of an upstream body. */
export const DRAIN_LIMIT = 30_000

export interface Stoppable {
  /** Lets what runs end, and closes everything. */
  readonly stop: () => Promise<void>
  /** Says what is still running, because the process ends now. */
  readonly logCutOff: () => void
}

/* c8 ignore start -- its end is the process's own: tests start and stop one */
/** Resolves when a signal came and `stop` is done; a second signal ends the process at once. */
export async function untilSignal ({ stop, logCutOff }: Stoppable): Promise<void> {
  await new Promise<void>(resolve => {
    closeWithGrace({ delay: DRAIN_LIMIT, onTimeout: logCutOff }, async () => {
      await stop()
      resolve()
    })
  })
}
/* c8 ignore stop */
