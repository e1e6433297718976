// Processes of the fuzzer's own: the hostile clients and the neighbour have one each, so
// that neither measures how busy the other is.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

type ToCrew<Task> = { readonly kind: 'begin', readonly task: Task } | { readonly kind: 'end' }

type FromCrew<Told> = { readonly kind: 'told', readonly told: Told } | { readonly kind: 'done' }

export interface CrewMember {
  readonly pid: number
  /** Lets it end what it does; resolves when its process is gone. */
  end (): Promise<void>
}

/** As nice(1) has it. */
const NICENESS = 19
/** Milliseconds after which it is ended by force; it stands back, and a busy machine lets it wait. */
const END_LIMIT = 120_000

export interface CrewOptions<Told> {
  /** For who gets a core only when nobody else wants it much; default: false. */
  readonly standsBack?: boolean
  /** Called with everything that it tells. */
  readonly hear: (told: Told) => void
}

/** Starts a process of this name on its task. */
export function startCrew<Task, Told> (name: 'hostile' | 'probe', task: Task, options: CrewOptions<Told>): CrewMember {
  const { standsBack = false, hear } = options
  const child = fork(fileURLToPath(new URL(`./${name}-main${extname(import.meta.url)}`, import.meta.url)))
  const gone = once(child, 'exit').then(([code]) => {
    if (code !== 0) throw new Error(`the ${name} process ended with ${code}`)
  })
  gone.catch(() => {}) // end() says it
  if (child.pid === undefined) throw new Error(`the ${name} process cannot be started`)
  if (standsBack) setPriority(child.pid, NICENESS)
  child.on('message', (message: FromCrew<Told>) => { if (message.kind === 'told') hear(message.told) })
  child.send({ kind: 'begin', task } satisfies ToCrew<Task>)
  return {
    pid: child.pid,
    async end () {
      const timer = setTimeout(() => { child.kill('SIGKILL') }, END_LIMIT)
      if (child.connected) child.send({ kind: 'end' } satisfies ToCrew<Task>)
      await gone.finally(() => { clearTimeout(timer) })
    }
  }
}

export interface Orders<Told> {
  readonly tell: (told: Told) => void
  /** Resolves when it shall end. */
  readonly ending: Promise<void>
}

/** The other end of it: runs the task, and ends this process. */
export function serveCrew<Task, Told> (run: (task: Task, orders: Orders<Told>) => Promise<void>): void {
  let end = (): void => {}
  const ending = new Promise<void>(resolve => { end = resolve })
  process.once('disconnect', () => { process.exit(1) }) // whoever started it has gone
  process.on('message', (message: ToCrew<Task>) => {
    if (message.kind === 'end') return end()
    const tell = (told: Told): void => { process.send?.({ kind: 'told', told } satisfies FromCrew<Told>) }
    void run(message.task, { tell, ending }).then(() => { leave(0) }, error => {
      process.stderr.write(`${(error as Error).stack}\n`)
      leave(1)
    })
  })
}

/** Not before everything that was told is on its way. */
function leave (code: number): void {
  process.removeAllListeners('disconnect')
  process.send?.({ kind: 'done' } satisfies FromCrew<never>, () => { process.exit(code) })
}
