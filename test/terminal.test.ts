// The built program at a terminal: it asks, and its log is for people.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { lookAtTerminal } from '../src/observe/log-look.ts'
import { testFolder } from './helpers/folder.ts'
import { notTried } from './helpers/not-tried.ts'
import { findProgram, freePorts, temporaryFolder } from './helpers/processes.ts'
import { startAtTerminal } from './helpers/pseudo-terminal.ts'

const ENTER = '\r'
const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const hasScript = await findProgram('script') !== undefined

await t.test('init asks at a terminal, and is done when all is said', async t => {
  if (!hasScript) {
    await notTried(t, 'a terminal', 'no script(1) on the PATH')
    return
  }
  const dir = testFolder(t)
  const terminal = startAtTerminal(t, ['init', '--depth', '1'], { cwd: dir })
  await terminal.answer('Where are the charts?', `embeded${ENTER}`)
  await terminal.answer('is not one of embedded, basic, bearer', '')
  await terminal.answer('Where are the charts?', `embedded${ENTER}`)
  await terminal.answer('The URL that clients will use', `http://localhost:5001${ENTER}`)
  await terminal.answer('[./data]', ENTER)
  t.equal(await terminal.ended, 0)
  t.match(terminal.shown(), /chartgate\.yaml is written[^]*configuration is valid[^]*what comes next:/)
  t.match(readFileSync(join(dir, 'chartgate.yaml'), 'utf8'), /\n {2}depth: 1\n/)
})

await t.test('who types Ctrl-C or Ctrl-D instead of an answer has no file', async t => {
  if (!hasScript) {
    await notTried(t, 'a terminal', 'no script(1) on the PATH')
    return
  }
  for (const key of [CTRL_C, CTRL_D]) {
    const terminal = startAtTerminal(t, ['init'], { cwd: testFolder(t) })
    await terminal.answer('or bearer: ', key)
    t.equal(await terminal.ended, 1)
    t.match(terminal.shown(), 'nothing was typed, and chartgate.yaml is not written')
  }
})

await t.test('the log of serve is for people there, ends with Ctrl-C, and loses nothing then', async t => {
  if (!hasScript || await lookAtTerminal({}) === undefined) {
    await notTried(t, 'a readable log', 'no script(1) on the PATH, or no pino-pretty')
    return
  }
  const [port, adminPort] = await freePorts(2)
  const env = { CHARTGATE_CONFIG: '/dev/null', CHARTGATE_STATE_DIR: await temporaryFolder(t), CHARTGATE_LISTEN_PORT: String(port), CHARTGATE_ADMIN_PORT: String(adminPort) }
  const ESC = '\u001b'
  for (const [more, level] of [[{}, `${ESC}[33mWARN${ESC}[39m`], [{ NO_COLOR: '1' }, 'WARN']] as const) {
    const terminal = startAtTerminal(t, ['serve'], { env: { ...env, ...more } })
    await terminal.answer('chartgate listens on', '')
    t.equal((await fetch(`http://127.0.0.1:${port}/a/b/index.yaml`)).status, 401)
    await terminal.answer(`${level} `, '')
    await terminal.answer('refused', CTRL_C)
    t.equal(await terminal.ended, 0)
    t.match(terminal.shown(), /refused.*\{"reqId":/)
    t.notMatch(terminal.shown(), '{"level"')
  }
})
