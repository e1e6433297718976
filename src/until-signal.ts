// When does a process that serves end? On SIGTERM or SIGINT, after what runs has ended.
// Asked by the two commands that serve.
import closeWithGrace from 'close-with-grace'

/** Milliseconds that running requests get after a signal; above the longest pause of an upstream body. */
const DRAIN = 30_000

/* c8 ignore start -- its end is the process's own: tests start and stop one */
/** Resolves when a signal came and `stop` is done; a second signal ends the process at once. */
export async function untilSignal (stop: () => Promise<void>): Promise<void> {
  await new Promise<void>(resolve => {
    closeWithGrace({ delay: DRAIN }, async () => {
      await stop()
      resolve()
    })
  })
}
/* c8 ignore stop */
