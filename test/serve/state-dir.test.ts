import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { readdir, rm } from 'node:fs/promises'
import * as net from 'node:net'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { claimStateDir, repositorySocket } from '../../src/serve/state-dir.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { builtUrl } from '../helpers/built.ts'

/** A socket that a process left behind which had no time to remove it. */
function leaveSocket (path: string): void {
  const program = 'require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))'
  try {
    execFileSync(process.execPath, ['-e', program, path], { env: {}, stdio: 'ignore' })
  } catch {} // killed
}

await t.test('who claims a folder has it until it is released, and nobody else can enter what is in it', async t => {
  const dir = join(await temporaryFolder(t), 'new')
  const first = await claimStateDir(dir)
  if (!first.ok) throw new Error(first.message)
  t.equal((await fs.stat(join(dir, 'run'))).mode & 0o777, 0o700)
  t.match(await claimStateDir(dir), { ok: false, message: `stateDir ${dir} is in use by another chartgate that runs` })
  await first.release()
  const second = await claimStateDir(dir)
  t.equal(second.ok, true)
  if (second.ok) await second.release()
})

await t.test('what a crash left behind hinders nobody', async t => {
  const dir = await temporaryFolder(t)
  await fs.mkdir(join(dir, 'run'))
  leaveSocket(join(dir, 'run', 'lock'))
  leaveSocket(join(dir, 'run', 'repo'))
  t.same((await readdir(join(dir, 'run'))).sort(), ['lock', 'repo'])
  const claim = await claimStateDir(dir)
  t.equal(claim.ok, true)
  await repositorySocket(dir)
  t.same(await readdir(join(dir, 'run')), ['lock'])
  if (claim.ok) await claim.release()
})

await t.test('of two that find the same dead socket at once, one has the folder', async t => {
  const dir = await temporaryFolder(t)
  await fs.mkdir(join(dir, 'run'))
  const path = join(dir, 'run', 'lock')
  leaveSocket(path)
  const other = createServer()
  t.teardown(() => { other.close() })
  // The other one comes between our look at the dead socket and its removal.
  const rename: typeof fs.rename = async (from, to) => {
    if (!other.listening) {
      await rm(path)
      await new Promise<void>(resolve => { other.listen(path, resolve) })
    }
    await fs.rename(from, to)
  }
  const { claimStateDir } = await t.mockImport<typeof import('../../src/serve/state-dir.ts')>(builtUrl('serve/state-dir.ts'), { 'node:fs/promises': { ...fs, rename } })
  t.match(await claimStateDir(dir), { ok: false, message: /is in use/ })
  t.same(await readdir(join(dir, 'run')), ['lock'], 'and its socket is in its place')
})

await t.test('a file system without sockets is said to be one', async t => {
  const broken = (): Server => {
    const server = createServer()
    server.listen = () => { server.emit('error', Object.assign(new Error('EPERM: no sockets here'), { code: 'EPERM' })); return server }
    return server
  }
  const { claimStateDir } = await t.mockImport<typeof import('../../src/serve/state-dir.ts')>(builtUrl('serve/state-dir.ts'), { 'node:net': { ...net, createServer: broken } })
  await t.rejects(claimStateDir(await temporaryFolder(t)), /no sockets here/)
})
