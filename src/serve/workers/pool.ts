// Do as many workers run as there should be? Starts them, puts another in the place of one
// that dies, and ends them all.
import type { Every, Later } from '../../lib/timers.ts'
import { createRelay } from './changes.ts'
import { createLiveness } from './liveness.ts'
import { createLockKeeper } from './locks.ts'
import type { Member, Office } from './member.ts'
import type { ToPrimary, WorkerSetup } from './messages.ts'

export interface WorkerProcess extends Member {
  /** Called once, after its last line of log. */
  onEnd (handler: (code: number | null, signal: string | null) => void): void
}

export interface PoolLog {
  info (fields: object, message: string): void
  warn (fields: object, message: string): void
  error (fields: object, message: string): void
}

export interface PoolOptions {
  readonly count: number
  /** What a worker is told that begins now. */
  readonly setup: () => Omit<WorkerSetup, 'number'>
  readonly fork: () => WorkerProcess
  /** Hears that the upstream did not answer a worker as it should. */
  readonly onTrouble: () => void
  /** Hears that another worker takes the place of one. */
  readonly onReplaced: () => void
  /** Who else has to do with all of them. */
  readonly offices: readonly Office[]
  readonly log: PoolLog
  /** Milliseconds of a clock that only goes on. */
  readonly clock: () => number
  readonly later: Later
  readonly every: Every
}

export interface Pool {
  /** Where all of them listen. */
  readonly address: string
  /** What keeps clients from being served: nobody listens, or somebody who should serve them does not. */
  hindrance (): string | undefined
  /** How many of them serve. */
  listening (): number
  /** Lets what runs end; false when a worker did not end well. */
  close (): Promise<boolean>
  /** Says which workers still run, and ends them. */
  logCutOff (): void
}

export type PoolResult =
  | { readonly ok: true, readonly front: Pool }
  | { readonly ok: false, readonly message: string }

/** A worker that ends within this many milliseconds of its start would do it again. */
const TOO_SOON = 5_000
const SHORTEST_PAUSE = 1_000
const LONGEST_PAUSE = 30_000

/** The place of one worker. */
interface WorkerPlace {
  readonly number: number
  worker: WorkerProcess | undefined
  listens: boolean
  /** When its last one has ended. */
  ended: Promise<void>
  /** How many have ended too soon, one after another. */
  failures: number
}

/** Starts the workers; resolves when all of them listen, or with what hindered the first that could not. */
export async function openPool (options: PoolOptions): Promise<PoolResult> {
  const { count, setup, fork, onTrouble, log, clock, later, every } = options
  const offices = [createRelay(), createLockKeeper({ clock, later }), ...options.offices]
  const liveness = createLiveness(every, log)
  const places = Array.from({ length: count }, (_, i): WorkerPlace => ({
    number: i + 1,
    worker: undefined,
    listens: false,
    ended: Promise.resolve(),
    failures: 0
  }))
  let address = ''
  let endedWell = true
  let phase: 'starting' | 'running' | 'closing' = 'starting'

  const running = (): WorkerProcess[] => places.flatMap(({ worker }) => worker ?? [])

  async function close (): Promise<boolean> {
    phase = 'closing'
    // One that does not listen has nothing to end.
    for (const { worker, listens } of places) if (listens) worker?.send({ kind: 'stop' }); else worker?.kill()
    await Promise.all(places.map(async ({ ended }) => { await ended }))
    liveness.close()
    return endedWell
  }

  const mistake = await new Promise<string | undefined>(resolve => {
    function start (place: WorkerPlace): void {
      const worker = fork()
      const startedAt = clock()
      let said: string | undefined
      place.worker = worker
      liveness.begin(worker)
      worker.receive(message => { said ??= hear(place, worker, message) })
      place.ended = new Promise(resolve => {
        worker.onEnd((code, signal) => {
          liveness.leave(worker)
          for (const office of offices) office.leave(worker)
          place.worker = undefined
          const how = {
            worker: worker.pid,
            ...(signal === null ? { code } : { signal }),
            ...(said === undefined ? {} : { said })
          }
          ended(place, how, clock() - startedAt)
          resolve()
        })
      })
    }

    /** What it said of why it cannot start, if it did. */
    function hear (place: WorkerPlace, worker: WorkerProcess, message: ToPrimary): string | undefined {
      if (message.kind === 'hears') {
        worker.send({ kind: 'begin', setup: { ...setup(), number: place.number } })
        for (const office of offices) office.begin?.(worker)
      }
      if (message.kind === 'upstream_trouble') onTrouble()
      if (message.kind === 'joined') for (const office of offices) office.join(worker)
      if (message.kind === 'listening') {
        address = message.address
        place.listens = true
        log.info({ worker: worker.pid }, 'a worker listens')
        if (phase === 'starting' && places.every(({ listens }) => listens)) {
          phase = 'running'
          resolve(undefined)
        }
      }
      return message.kind === 'failed' ? message.message : undefined
    }

    function ended (
      place: WorkerPlace,
      how: {
        readonly worker: number | undefined
        readonly code?: number | null
        readonly signal?: string
        readonly said?: string
      },
      lived: number
    ): void {
      const listened = place.listens
      place.listens = false
      switch (phase) {
        case 'starting':
          return resolve(how.said ??
            `a worker ended before all of them listened (${how.signal ?? `code ${how.code}`}): ` +
            'what it said on standard error may tell why')
        case 'closing':
          if (listened && how.code !== 0) endedWell = false
          return
        case 'running':
          place.failures = lived < TOO_SOON ? place.failures + 1 : 0
          replace(place, how)
      }
    }

    function replace (place: WorkerPlace, how: object): void {
      const pause = place.failures === 0 ? 0 : Math.min(SHORTEST_PAUSE * 2 ** (place.failures - 1), LONGEST_PAUSE)
      options.onReplaced()
      log.error(how, `a worker ended, and another one takes its place${pause === 0 ? '' : ` in ${pause / 1000} s`}`)
      if (pause === 0) start(place)
      else later(pause, () => { if (phase === 'running') start(place) })
    }

    for (const place of places) start(place)
  })
  if (mistake !== undefined) {
    await close()
    return { ok: false, message: mistake }
  }
  return {
    ok: true,
    front: {
      address,
      hindrance: () => places.some(({ listens }) => listens) ? liveness.ailment() : 'no worker listens',
      listening: () => places.filter(({ listens }) => listens).length,
      close,
      logCutOff () {
        const left = running()
        if (left.length > 0) {
          log.warn({ workers: left.map(({ pid }) => pid) }, 'cut off: these workers did not end in time')
        }
        for (const worker of left) worker.kill()
      }
    }
  }
}
