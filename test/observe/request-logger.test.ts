import pino from 'pino'
import t from 'tap'
import { RequestLogger } from '../../src/observe/request-logger.ts'

await t.test('a request\'s lines have its id, at every level, and its child is made once', t => {
  const lines: string[] = []
  let children = 0
  const parent = pino({ level: 'trace', onChild: () => { children++ } }, { write: line => { lines.push(line) } })
  const log = new RequestLogger(parent, { reqId: 'r1' })
  t.equal(children, 0)
  t.equal(log.level, 'trace')
  log.silent()
  const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const
  for (const level of levels) log[level]({ level_was: level }, `at ${level}`)
  log.info('a text alone')
  t.equal(children, 1)
  log.child({ more: 1 }).info({}, 'a child\'s')
  t.match(lines.map(line => JSON.parse(line) as object), [
    ...levels.map(level => ({ level: pino.levels.values[level], level_was: level, reqId: 'r1', msg: `at ${level}` })),
    { reqId: 'r1', msg: 'a text alone' },
    { reqId: 'r1', more: 1, msg: 'a child\'s' }
  ])
  t.end()
})
