// What does the log look like to a person at a terminal? As pino-pretty shows it, where that is
// installed: in this process and line by line, in front of the sink (log-sink.ts), so that
// what bounds the log holds there too. A program always gets the lines themselves.
import { printable } from '../lib/printable.ts'
import { AUDIT_CATEGORY } from './audit/schema.ts'

/** Makes of whole lines what is shown of them. */
export type LogLook = (lines: string) => string

interface PinoPretty {
  prettyFactory (options: object): (line: object) => string
}

/** An optional dependency, and so nothing that this is compiled with: whoever left it out has lines of JSON. */
const PINO_PRETTY: string = 'pino-pretty'

/**
 * @param env NO_COLOR and TERM count (no-color.org, terminfo's dumb terminal)
 * @returns undefined where pino-pretty cannot be loaded
 */
export async function lookAtTerminal (
  env: Readonly<Record<string, string | undefined>>,
  load: (name: string) => Promise<unknown> = async name => await import(name)
): Promise<LogLook | undefined> {
  const loaded = await load(PINO_PRETTY).catch(() => undefined) as PinoPretty | undefined
  if (loaded === undefined) return undefined
  const show = loaded.prettyFactory({
    colorize: (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
    ignore: 'hostname',
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l'
  })
  return lines => lines.split(/(?<=\n)/).map(line => line.startsWith('{') ? shown(line, show) : line).join('')
}

function shown (line: string, show: (line: object) => string): string {
  try {
    const read = JSON.parse(line, withoutControls) as { readonly category?: unknown }
    // The line of the log beside it says the same.
    return read.category === AUDIT_CATEGORY ? '' : show(read)
  } catch {
    return `${printable(line.trimEnd())}\n` // a worker's line that was cut
  }
}

/**
 * In JSON a control character is an escape, and at a terminal a command: a client could have
 * the screen cleared by the path that it asks for. A stack alone has lines.
 */
function withoutControls (key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value
  return key === 'stack' ? value.split('\n').map(printable).join('\n') : printable(value)
}
