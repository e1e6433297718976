import pino from 'pino'
import t from 'tap'
import { LOG_FORM, lineOf } from '../../src/observe/log-form.ts'

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

await t.test('a line has the name of its level and an ISO time, whoever writes it', t => {
  const lines: Record<string, unknown>[] = []
  const log = pino({ ...LOG_FORM, level: 'trace' }, { write: (line: string) => { lines.push(JSON.parse(line) as typeof lines[0]) } })
  for (const level of ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const) {
    log.child({ reqId: 'a' })[level]({ a: 1 }, 'said')
    t.match(lines.at(-1), { level, time: TIME, pid: process.pid, reqId: 'a', a: 1, msg: 'said' })
  }
  log.error({ a: 1 }, 'said')
  const own = JSON.parse(lineOf('error', { a: 1 }, 'said')) as Record<string, unknown>
  t.strictSame(Object.keys(own), Object.keys(lines.at(-1) as object))
  t.match(own, { level: 'error', time: TIME, pid: process.pid, a: 1, msg: 'said' })
  t.end()
})
