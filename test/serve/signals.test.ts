// Only SIGTERM and SIGINT end a process that serves. SIGHUP reads again what can be read
// again; SIGQUIT, SIGUSR1 and SIGUSR2 do nothing, the debugger's port least of all.
import { writeFile } from 'node:fs/promises'
import inspector from 'node:inspector'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { closeDebugger, ignoreSignals } from '../../src/serve/signals.ts'
import { inShort } from '../helpers/in-short.ts'
import { layKeys } from '../helpers/key-pool.ts'
import { freePorts, startProcess, temporaryFolder, type StartedProcess } from '../helpers/processes.ts'
import { KEY, linesOf, workersOf, lives } from '../helpers/several.ts'
import { untilTrue } from '../helpers/until.ts'

const MEANINGLESS = ['SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGHUP'] as const
const READ_AGAIN = 'SIGHUP: every file is read again'

const messages = ({ stdout }: StartedProcess): unknown[] => linesOf(stdout()).map(({ msg }) => msg)
const count = (process: StartedProcess, message: string): number => messages(process).filter(msg => msg === message).length

/** Each of them is sent to all, as a terminal and `kill` with a group do. */
function sendAll (pids: readonly number[]): void {
  for (const signal of MEANINGLESS) for (const pid of pids) process.kill(pid, signal)
}

const [PLAIN, NOHUP] = [[process.execPath], ['nohup', process.execPath]] as const
for (const [workers, programs] of [[1, inShort([PLAIN], [PLAIN, NOHUP])], [2, inShort([NOHUP], [PLAIN, NOHUP])]] as const) {
  for (const program of programs) {
    await t.test(`with ${workers} worker(s), started as ${program.length === 1 ? 'it is' : 'nohup has it'}`, async t => {
      const folder = await temporaryFolder(t)
      const [port, adminPort] = await freePorts(2)
      await layKeys(join(folder, 'state'))
      const accounts = join(folder, 'accounts.yaml')
      await writeFile(accounts, 'users: []\n')
      const file = join(folder, 'chartgate.yaml')
      await writeFile(file, stringify({ workers, listen: { port }, admin: { port: adminPort }, stateDir: join(folder, 'state'), masterKey: KEY, accounts: { files: [accounts] } }))
      const [command, ...args] = [...program, 'dist/src/cli.js', 'serve', '--config', file] as [string, ...string[]]
      const gateway = await startProcess(t, command, args, { readyUrl: `http://127.0.0.1:${adminPort}/readyz` })
      const pids = workers === 1 ? [] : workersOf(gateway.stdout())
      sendAll([gateway.pid, ...pids])
      await untilTrue(() => count(gateway, READ_AGAIN) === 1 && count(gateway, 'accounts and rules were read again') === 1)
      t.ok(pids.every(lives))
      t.equal((await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status, 200)
      t.notMatch(gateway.stderr(), 'Debugger')

      await writeFile(accounts, 'users: [')
      process.kill(gateway.pid, 'SIGHUP')
      await untilTrue(() => count(gateway, READ_AGAIN) === 2 && count(gateway, 'a changed file is not used') === 1)

      process.kill(gateway.pid, 'SIGINT')
      t.equal(await gateway.ended, 0)
      t.equal(count(gateway, READ_AGAIN), 2, 'once for each signal, also where all processes got it')
    })
  }
}

await t.test('the repository alone', async t => {
  const [port] = await freePorts(1)
  const repository = await startProcess(t, process.execPath, ['dist/src/cli.js', 'repository', '--dir', await temporaryFolder(t), '--port', String(port), '--depth', '2'], { readyUrl: `http://127.0.0.1:${port}/health` })
  sendAll([repository.pid])
  await untilTrue(() => linesOf(repository.stdout()).some(({ event }) => event === 'nothing_to_read'))
  t.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200)
  t.notMatch(repository.stderr(), 'Debugger')
  process.kill(repository.pid, 'SIGTERM')
  t.equal(await repository.ended, 0)
})

await t.test('a signal that is ignored has a listener, and nothing else', t => {
  const before = process.listenerCount('SIGUSR2')
  ignoreSignals(['SIGUSR2'])
  t.equal(process.listenerCount('SIGUSR2'), before + 1)
  process.emit('SIGUSR2')
  process.removeListener('SIGUSR2', process.listeners('SIGUSR2').at(-1) as () => void)
  t.end()
})

await t.test('a debugger that was opened before the first line is closed, unless somebody asked for it', async t => {
  await closeDebugger()
  inspector.open(0)
  t.teardown(() => { inspector.close() })
  await closeDebugger(['--inspect=0'])
  t.match(inspector.url(), 'ws://127.0.0.1:')
  await closeDebugger([])
  t.equal(inspector.url(), undefined)
})
