// The line between a primary and a worker, within one process: what is sent arrives
// later, in order, and as JSON carries it.
import type { Channel, ToPrimary, ToWorker } from '../../src/serve/workers/messages.ts'
import type { WorkerProcess } from '../../src/serve/workers/pool.ts'

export interface FakeWorker {
  /** What the primary holds. */
  readonly process: WorkerProcess
  /** What the worker itself holds. */
  readonly own: Channel<ToWorker, ToPrimary>
  /** Everything that the primary sent. */
  readonly sent: ToWorker[]
  readonly killed: () => boolean
  /** Its process ends. */
  end (code: number | null, signal?: string): void
  /** It takes nothing and says nothing (SIGSTOP), until what comes back is called (SIGCONT). */
  stop (): () => void
}

/** A worker that runs nothing by itself; `kill` ends it as SIGKILL does. */
export function fakeWorker (pid: number): FakeWorker {
  const sent: ToWorker[] = []
  const toPrimary = new Set<(message: ToPrimary) => void>()
  const toWorker = new Set<(message: ToWorker) => void>()
  const ends: ((code: number | null, signal: string | null) => void)[] = []
  let killed = false
  let alive = true
  let stopped: { readonly held: (() => void)[], readonly ended: Promise<void> } | undefined
  const later = (run: () => void): void => {
    setImmediate(() => {
      if (stopped !== undefined) stopped.held.push(run)
      else if (alive) run()
    })
  }
  const end = (code: number | null, signal?: string): void => {
    if (!alive) return
    alive = false
    for (const handler of ends) handler(code, signal ?? null)
  }
  return {
    sent,
    killed: () => killed,
    end,
    stop () {
      const held: (() => void)[] = []
      let goOn!: () => void
      stopped = { held, ended: new Promise(resolve => { goOn = resolve }) }
      return () => {
        stopped = undefined
        for (const run of held) later(run)
        goOn()
      }
    },
    process: {
      pid,
      taken: async () => { await stopped?.ended },
      send (message) {
        sent.push(message)
        later(() => { for (const handler of toWorker) handler(JSON.parse(JSON.stringify(message)) as ToWorker) })
      },
      receive (handler) { toPrimary.add(handler) },
      onEnd (handler) { ends.push(handler) },
      kill () {
        killed = true
        setImmediate(() => { end(null, 'SIGKILL') })
      }
    },
    own: {
      send (message) { later(() => { for (const handler of toPrimary) handler(JSON.parse(JSON.stringify(message)) as ToPrimary) }) },
      receive (handler) { toWorker.add(handler) }
    }
  }
}

/** Lets everything arrive that is on its way, and what it causes. */
export async function settled (): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(resolve => { setImmediate(resolve) })
}

export interface Timers {
  readonly later: (ms: number, run: () => void) => () => void
  /** Milliseconds of those that wait. */
  readonly waiting: () => number[]
  /** Lets the time of all that wait come. */
  fire (): void
}

/** Time that comes when a test says so. */
export function manualTimers (): Timers {
  const timers = new Map<symbol, { ms: number, run: () => void }>()
  return {
    later (ms, run) {
      const id = Symbol('timer')
      timers.set(id, { ms, run })
      return () => { timers.delete(id) }
    },
    waiting: () => [...timers.values()].map(({ ms }) => ms),
    fire () {
      const due = [...timers.values()]
      timers.clear()
      for (const { run } of due) run()
    }
  }
}

export interface Beats {
  readonly every: (ms: number, run: () => void) => () => void
  /** Lets the next time come of all that happens again and again. */
  beat (): void
  /** How many such things there are. */
  readonly count: () => number
}

/** What happens again and again, when a test says so. */
export function manualBeats (): Beats {
  const running = new Set<() => void>()
  return {
    every (_ms, run) {
      const own = (): void => { run() }
      running.add(own)
      return () => { running.delete(own) }
    },
    beat () { for (const run of [...running]) run() },
    count: () => running.size
  }
}
