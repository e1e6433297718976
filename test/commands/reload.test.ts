// `chartgate reload` against a process that has a stateDir: what it prints, and how it ends.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Reread } from '../../src/serve/rereading.ts'
import { claimStateDir } from '../../src/serve/state-dir.ts'
import { command } from '../helpers/commands.ts'
import { temporaryFolder } from '../helpers/processes.ts'

const NOTHING: Reread = { changed: [], mistakes: [], later: [], last: undefined, silent: [] }

await t.test('it says what changed, what waits for a restart, and what is wrong', async t => {
  const dir = await temporaryFolder(t)
  const claim = await claimStateDir(dir)
  if (!claim.ok) throw new Error(claim.message)
  t.teardown(claim.release)
  const args = ['reload', '--state-dir', dir]
  t.match(await command(args), { code: 1, out: '', err: /^chartgate: the chartgate with stateDir \S+ is starting/ })
  let found = NOTHING
  claim.obey({ reload: async () => found })
  t.strictSame(await command(args), { code: 0, out: 'nothing has changed since the start\n', err: '' })
  found = { ...NOTHING, last: { time: 1_900_000_000, changed: ['masterKey', 'log.level'] }, later: ['workers'] }
  t.strictSame(await command(args), { code: 0, out: 'nothing has changed since 2030-03-17T17:46:40Z, when it was masterKey, log.level\n', err: 'chartgate: warning: restart to apply: workers\n' })
  found = { ...found, changed: ['policy'], mistakes: ['a.yaml:1:1: no'], silent: [7, 8] }
  t.strictSame(await command(args), {
    code: 1,
    out: 'changed: policy\n',
    err: 'chartgate: warning: restart to apply: workers\nchartgate: a.yaml:1:1: no\nchartgate: what cannot be used is not in force, and what was before still is\n' +
      'chartgate: these workers did not say in time that they have it: 7, 8\n'
  })
})

await t.test('the configuration says which process, and where there is none that is said', async t => {
  const dir = await temporaryFolder(t)
  const file = join(dir, 'chartgate.yaml')
  await writeFile(file, 'stateDir: ./here\n')
  t.match(await command(['reload', '--config', file]), { code: 1, out: '', err: `chartgate: no chartgate runs with stateDir ${join(dir, 'here')}, or this user may not ask it\n` })
  t.match(await command(['reload', '--state-dir', join(dir, 'x'.repeat(120))]), { code: 1, err: /no chartgate runs/ })
  await writeFile(file, 'stateDri: ./here\n')
  t.match(await command(['reload', '--config', file]), { code: 1, err: /stateDri: unknown key/ })
})

await t.test('a process that answers nonsense is named', async t => {
  const dir = await temporaryFolder(t)
  const claim = await claimStateDir(dir)
  if (!claim.ok) throw new Error(claim.message)
  claim.obey({ reload: async () => { await claim.release(); return NOTHING } })
  t.match(await command(['reload', '--state-dir', dir]), { code: 1, err: /did not answer: it may be reading large files still, and its log says when it has/ })
})

await t.test('the process is asked also while the configuration is broken, and says itself what it cannot use', async t => {
  const dir = await temporaryFolder(t)
  const file = join(dir, 'chartgate.yaml')
  const claim = await claimStateDir(join(dir, 'here'))
  if (!claim.ok) throw new Error(claim.message)
  t.teardown(claim.release)
  claim.obey({ reload: async () => ({ ...NOTHING, changed: ['accounts.files'], mistakes: ['it says so'] }) })
  const answered = { code: 1, out: 'changed: accounts.files\n', err: 'chartgate: it says so\nchartgate: what cannot be used is not in force, and what was before still is\n' }
  await writeFile(file, 'stateDir: ./here\nlog: { level: loud }\n')
  t.strictSame(await command(['reload', '--config', file]), answered)
  await writeFile(file, 'stateDir: [ ./here\n')
  t.strictSame(await command(['reload', '--config', file], { CHARTGATE_STATE_DIR: './here' }), answered)
  t.strictSame(await command(['reload', '--config', join(dir, 'missing.yaml')], { CHARTGATE_STATE_DIR: './here' }), answered)
  const unknown = await command(['reload', '--config', file])
  t.match(unknown, { code: 1, out: '', err: /no process was asked: .*--state-dir\n$/ })
  t.match(unknown.err, /chartgate\.yaml:\d+/, 'behind what is wrong with it')
  await writeFile(file, 'stateDir: ""\n')
  t.match(await command(['reload', '--config', file]), { code: 1, err: /no process was asked/ })
})
