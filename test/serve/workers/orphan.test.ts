import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { endWithParent } from '../../../src/serve/workers/orphan.ts'
import { ROOT } from '../../helpers/processes.ts'
import { allGone, lives } from '../../helpers/several.ts'

await t.test('a process whose parent is there goes on', t => {
  endWithParent()
  t.equal(lives(process.pid), true)
  t.end()
})

await t.test('one whose parent has gone is ended, whatever it does', async t => {
  const child = "import { endWithParent } from './dist/src/serve/workers/orphan.js'; endWithParent(); setTimeout(() => { console.log(process.pid); for (;;) ; }, 500)"
  const parent = `import { spawn } from 'node:child_process'; spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(child)}], { stdio: 'inherit' })`
  const process_ = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '-e', parent], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
  const [text] = await once(process_.stdout, 'data') as [Buffer]
  const pid = Number(text.toString())
  t.equal(lives(pid), true)
  process_.kill('SIGKILL')
  await allGone([pid])
})
