// When does a process that serves end? On SIGTERM or SIGINT, after what runs has ended
// or its time is up. Asked by the two commands that serve.
import closeWithGrace from 'close-with-grace'

/** Milliseconds that running requests get after a signal; above the longest pause of an upstream body. */
export const DRAIN_LIMIT = 30_000

export interface Stoppable {
  /** Lets what runs end, and closes everything; false when something of it did not end well. */
  readonly stop: () => Promise<boolean>
  /** Says what is still running, because the process ends now. */
  readonly logCutOff: () => void
}

export interface Until {
  /** Milliseconds. */
  readonly limit?: number
  /** Somebody else who may say that it is time. */
  readonly asked?: Promise<unknown>
}

/* c8 ignore start -- its end is the process's own: tests start and stop one */
/** Resolves when a signal came and `stop` is done; a second signal ends the process at once. */
export async function untilSignal ({ stop, logCutOff }: Stoppable, { limit = DRAIN_LIMIT, asked }: Until = {}): Promise<void> {
  await new Promise<void>(resolve => {
    let closing = false
    const { close } = closeWithGrace({ delay: limit, onTimeout: logCutOff }, async ({ err }) => {
      closing = true
      if (err !== undefined) say('an error that nobody expected, and so it ends', err)
      const endedWell = await stop().catch((error: unknown) => {
        say('it could not end well', error)
        return false
      })
      if (!endedWell) process.exit(1)
      resolve()
    })
    void asked?.then(() => { if (!closing) close() })
  })
}

/** One sentence and where it happened, without what libraries hang on errors (see http/log-error.ts). */
function say (what: string, error: unknown): void {
  process.stderr.write(`chartgate: ${what}: ${error instanceof Error ? error.stack ?? error.message : String(error)}\n`)
}
/* c8 ignore stop */
