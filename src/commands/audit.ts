// `chartgate audit`: who did what, when, to what, and what came of it? Reads files of the
// audit log, prints a row for each event that was asked for, and in the end each intent
// whose outcome is nowhere: what became of that change nobody has recorded.
import { printable } from '../lib/printable.ts'
import { AUDIT_ACTION_NAMES, type AuditEvent } from '../observe/audit/schema.ts'
import { linesOf, oldestFirst, sourceOf, type AuditSource } from './audit-lines.ts'
import { fail, type Command, type ExitCode, type Io, type WrongUsage } from './command.ts'
import type { Options } from './options.ts'

export const AUDIT: Command = {
  async run (options, _env, io, words) {
    const wanted = readFilter(options)
    if ('wrong' in wanted) return wanted
    return await report(io, words, wanted)
  }
}

interface AuditFilter {
  readonly takes: (event: AuditEvent) => boolean
  /** Lines as they were. */
  readonly json: boolean
  /** Intents without an outcome, and nothing else. */
  readonly unfinished: boolean
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }
// RFC 3339 section 5.6.
const MOMENT = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/

function readFilter ({ tenant, since, actor, action, json, unfinished }: Options): AuditFilter | WrongUsage {
  const wrong: string[] = []
  const begin = since === undefined ? '' : readSince(since)
  if (begin === undefined) {
    wrong.push(`--since ${JSON.stringify(since)} is neither a time such as 24h or 7d, ` +
      'nor one such as 2026-11-29T08:00:00Z')
  }
  if (action !== undefined && !AUDIT_ACTION_NAMES.some(name => name === action)) {
    wrong.push(`--action ${JSON.stringify(action)} is none: ${AUDIT_ACTION_NAMES.join(', ')}`)
  }
  if (wrong.length > 0) return { wrong }
  return {
    takes: event => (tenant === undefined || isOfTenant(event, tenant)) &&
      (action === undefined || event.action === action) &&
      (actor === undefined || isActor(event, actor)) &&
      event.time >= (begin as string),
    json: json === true,
    unfinished: unfinished === true
  }
}

/** The moment as the log writes it; undefined for a text that says none. */
function readSince (text: string): string | undefined {
  const [, count, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? []
  const ms = unit === undefined
    ? MOMENT.test(text) ? Date.parse(text) : NaN
    : Date.now() - Number(count) * (SECONDS[unit] as number) * 1000
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString()
}

/** Also a request for a token for it, or for a chart in it (`repository`): what it asked for names it. */
function isOfTenant ({ tenant, token }: AuditEvent, wanted: string): boolean {
  return tenant === wanted || (token !== undefined && token.asked.split(' ').some(scope => {
    const [, type = '', name = ''] = /^([^:]*):(.*):[^:]*$/.exec(scope) ?? []
    return name === wanted || (type === 'repository' && name.slice(0, Math.max(name.lastIndexOf('/'), 0)) === wanted)
  }))
}

/** By the whole subject, by its name alone, or by the hash of a name that is nobody's. */
function isActor ({ actor: { subject, name_hash: hash } }: AuditEvent, wanted: string): boolean {
  return subject === wanted || subject.slice(subject.indexOf(':') + 1) === wanted || hash === wanted
}

/** Intents that are remembered; many more than a gateway has under way. */
const MOST_INTENTS = 10_000

async function report (io: Io, names: readonly string[], filter: AuditFilter): Promise<ExitCode> {
  const input = io.input
  if (input === undefined && (names.length === 0 || names.includes('-'))) return fail(io, NO_INPUT)
  const sources = await Promise.all((names.length === 0 ? ['-'] : names)
    .map(async name => await sourceOf(name, input as () => never)))
  const open = new Map<string, { readonly event: AuditEvent, readonly text: string }>()
  const show = filter.json ? (text: string) => { io.stdout(`${text}\n`) } : undefined
  if (show === undefined) io.stdout(rowOf(HEAD))
  let code: ExitCode = 0
  let broken = 0
  let forgotten = 0
  for (const { source, copyOf } of await oldestFirst(sources)) {
    if (copyOf !== undefined) {
      io.stderr(printable(`chartgate: warning: ${source.name} begins as ${copyOf.name} does: is one a copy? ` +
        'What both hold is shown twice') + '\n')
    }
    try {
      for await (const line of linesOf(source)) {
        if (line.kind === 'broken') {
          broken++
          continue
        }
        const { event, text } = line
        if (event.phase === 'intent') {
          if (open.size >= MOST_INTENTS) {
            open.delete(open.keys().next().value as string)
            forgotten++
          }
          open.set(event.event_id, { event, text })
          if (show !== undefined && !filter.unfinished && filter.takes(event)) show(text)
          continue
        }
        open.delete(event.event_id)
        if (!filter.unfinished && filter.takes(event)) (show ?? (() => { io.stdout(rowOf(cellsOf(event))) }))(text)
      }
    } catch (error) {
      code = fail(io, printable(`${source.name} cannot be read to its end: ${(error as Error).message}`))
    }
  }
  await forgetFinished(open, sources)
  for (const { event, text } of open.values()) {
    if (!filter.takes(event)) continue
    if (show === undefined) io.stdout(rowOf(cellsOf(event)))
    else if (filter.unfinished) show(text)
  }
  if (broken > 0) io.stderr(`chartgate: warning: ${broken} ${broken === 1 ? 'line' : 'lines'} could not be read\n`)
  if (forgotten > 0) {
    io.stderr(`chartgate: warning: more than ${MOST_INTENTS} intents had no outcome yet: ${forgotten} are not shown\n`)
  }
  return code
}

/**
 * Takes out the intents whose outcome stood before them: a file that holds a copy of some lines
 * may come after the one with all of them. Only where intents are left is everything read again.
 */
async function forgetFinished (open: Map<string, unknown>, sources: readonly AuditSource[]): Promise<void> {
  for (const source of sources) {
    if (open.size === 0) return
    if (source.isOnce) continue
    try {
      for await (const line of linesOf(source)) {
        if (line.kind === 'event' && line.event.phase !== 'intent') open.delete(line.event.event_id)
      }
    } catch {} // that was said when it was read first
  }
}

const NO_INPUT = 'nothing is on standard input here: name the files'

type Cells = readonly [time: string, result: string, action: string, actor: string, from: string, what: string]

const HEAD: Cells = ['TIME', 'OUTCOME', 'ACTION', 'ACTOR', 'FROM', 'WHAT']
/** Columns are as wide as what most of them hold: a row is printed before the next one is known. */
const WIDTHS = [24, 10, 20, 24, 15, 0] as const

function rowOf (cells: Cells): string {
  return `${cells.map((cell, i) => cell.padEnd(WIDTHS[i] as number)).join('  ').trimEnd()}\n`
}

function cellsOf (event: AuditEvent): Cells {
  const { time, outcome = 'UNFINISHED', reason, action, actor, client, tenant, object, token, detail } = event
  const hash = actor.name_hash === undefined ? '' : `#${actor.name_hash.slice(0, 12)}`
  const chart = [event.chart, event.version].filter(each => each !== undefined).join(' ')
  const what = [
    tenant, chart === '' ? event.file : chart, object, token?.granted ?? token?.asked,
    event.rule === undefined ? undefined : `by ${event.rule}`, reason, detail,
    event.lines === undefined ? undefined : `${event.lines} lines`
  ]
  return [
    time, outcome, action, `${actor.subject}${hash}`, client?.forwarded ?? client?.address ?? '-',
    what.filter(each => each !== undefined && each !== '').join('  ')
  ].map(cell => printable(String(cell))) as unknown as Cells
}
