// Class 48: a broken file that stops the reading of sound ones, and a read that failed once
// and was never tried again. While the configuration could not be used nobody could be
// revoked, and a worker that died stayed away; while one accounts file could not, neither
// could anybody of the others. And a file that was sound for a moment only, which some
// processes had seen and others had not. The built program with its files, as people run it.
import { once } from 'node:events'
import { rename, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { request } from 'undici'
import { stringify } from 'yaml'
import { digestOf } from '../../src/identity/sources/robot-secret.ts'
import { cheapHash } from '../helpers/accounts.ts'
import { MANY_LOGINS } from '../helpers/app.ts'
import { serveFile, type Gateway } from '../helpers/gateway.ts'
import { inShort, WORKER_COUNTS } from '../helpers/in-short.ts'
import { freePorts, startProcess, temporaryFolder } from '../helpers/processes.ts'
import { newMasterKey, newPassword, newSecret } from '../helpers/secrets.ts'
import { basic } from '../helpers/team.ts'
import { until } from '../helpers/until.ts'

const INDEX = '/team/web/index.yaml'
const RULE = { repositories: ['team/*'], subjects: ['authenticated'], actions: ['pull'] }
const BROKEN = 'policy: [\n'

type Line = Readonly<Record<string, unknown>>

interface Files {
  /** Writes a file as an editor does: whole, and under its name at once. */
  write (name: string, content: string | object): Promise<void>
  readonly dir: string
}

async function filesOf (t: Test): Promise<Files> {
  const dir = await temporaryFolder(t)
  return {
    dir,
    async write (name, content) {
      await writeFile(join(dir, `${name}.new`), typeof content === 'string' ? content : stringify(content))
      await rename(join(dir, `${name}.new`), join(dir, name))
    }
  }
}

const robot = (name: string, ...secrets: string[]): object => ({ name, secrets: secrets.map(secret => ({ hash: `sha256:${digestOf(secret)}` })) })

async function statusOf (gateway: Pick<Gateway, 'url'>, authorization: string): Promise<number> {
  try {
    const answer = await request(gateway.url + INDEX, { headers: { authorization }, reset: true }) // a connection of its own: any of the workers
    await answer.body.dump()
    return answer.statusCode
  } catch {
    return 0 // nobody listens yet, or the one who did was killed
  }
}

/** The status that so many in a row get, once they do: every worker has to say it. */
async function always (gateway: Pick<Gateway, 'url'>, authorization: string, status: number): Promise<boolean> {
  for (let i = 0; i < 12; i++) if (await statusOf(gateway, authorization) !== status) return false
  return true
}

function logOf (gateway: Pick<Gateway, 'stdout'>): Line[] {
  return gateway.stdout().split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line) as Line)
}

function workersOf (gateway: Pick<Gateway, 'stdout'>): number[] {
  const ended = logOf(gateway).filter(({ msg }) => String(msg).startsWith('a worker ended')).map(({ worker }) => worker)
  return logOf(gateway).flatMap(({ msg, worker }) => msg === 'a worker listens' && !ended.includes(worker) ? [worker as number] : [])
}

for (const workers of WORKER_COUNTS) {
  await t.test(`with ${workers} worker(s), what a sound file takes away is taken, whatever else is broken; what it adds waits`, async t => {
    const [gone, stays, comes, password] = [newSecret(), newSecret(), newSecret(), newPassword()]
    const { dir, write } = await filesOf(t)
    const config = { workers, accounts: { files: ['accounts.yaml', 'more.yaml'] }, policy: [RULE], limits: { logins: MANY_LOGINS } }
    const alice = { name: 'alice', passwordHash: await cheapHash(password), groups: [] }
    await write('accounts.yaml', { robots: [robot('gone', gone), robot('stays', stays)] })
    await write('more.yaml', { users: [alice] })
    await write('chartgate.yaml', config)
    const gateway = await serveFile(t, { file: join(dir, 'chartgate.yaml') })
    const is = async (status: number, ...authorizations: string[]): Promise<void> => {
      for (const authorization of authorizations) await until(async () => await always(gateway, authorization, status) ? true : undefined)
    }
    const [asGone, asStays, asComes, asAlice] = [`Bearer ${gone}`, `Bearer ${stays}`, `Bearer ${comes}`, basic('alice', password)]
    await is(200, asGone, asStays, asAlice)

    await write('chartgate.yaml', BROKEN)
    await until(() => logOf(gateway).some(({ msg }) => msg === 'a changed file is not used') ? true : undefined)
    await write('accounts.yaml', { robots: [robot('stays', stays), robot('comes', comes)] })
    await is(401, asGone)
    await is(200, asStays, asAlice)
    await is(401, asComes)

    await write('more.yaml', { users: [{ ...alice, disabled: true }] })
    await is(401, asAlice)
    await write('more.yaml', 'users: [')
    await write('accounts.yaml', { robots: [robot('comes', comes)] })
    await is(401, asStays)
    await is(401, asComes, asAlice)

    if (workers > 1) {
      const [victim] = workersOf(gateway) as [number]
      process.kill(victim, 'SIGKILL')
      await until(() => workersOf(gateway).length === 2 && !workersOf(gateway).includes(victim) ? true : undefined)
      await is(401, asGone, asStays, asComes, asAlice)
    }

    await write('chartgate.yaml', config)
    await is(401, asComes)
    await write('more.yaml', { users: [alice] })
    await is(200, asComes, asAlice)
    await is(401, asGone, asStays)
    t.equal(gateway.stderr(), '')
  })
}

/** What each worker alone answers who has these; the others stand still meanwhile. */
async function saidByEach (gateway: Gateway, authorizations: readonly string[]): Promise<string[]> {
  const workers = workersOf(gateway)
  const said: string[] = []
  for (const worker of workers) {
    const others = workers.filter(other => other !== worker)
    for (const other of others) process.kill(other, 'SIGSTOP')
    const statuses: number[] = []
    for (const each of authorizations) statuses.push(await statusOf(gateway, each))
    said.push(statuses.join())
    for (const other of others) process.kill(other, 'SIGCONT')
  }
  return said
}

/** What all of them say, once they say the same. */
async function agreed (gateway: Gateway, authorizations: readonly string[]): Promise<string> {
  return await until(async () => {
    const [first, ...others] = await saidByEach(gateway, authorizations)
    return others.every(other => other === first) ? first : undefined
  }, 5_000)
}

await t.test('what a file said for a moment, before it was broken, all workers have taken or none, also those that come later', async t => {
  const secrets = Array.from({ length: inShort(6, 30) }, newSecret)
  const all = secrets.map(secret => `Bearer ${secret}`)
  const { dir, write } = await filesOf(t)
  await write('accounts.yaml', { robots: secrets.map((secret, i) => robot(`r${i}`, secret)) })
  await write('chartgate.yaml', { workers: 3, accounts: { files: ['accounts.yaml'] }, policy: [RULE], limits: { logins: MANY_LOGINS } })
  const gateway = await serveFile(t, { file: join(dir, 'chartgate.yaml') })
  await until(() => workersOf(gateway).length === 3 ? true : undefined)
  for (const round of secrets.keys()) {
    await write('accounts.yaml', { robots: secrets.slice(round + 1).map((secret, i) => robot(`r${round + 1 + i}`, secret)) })
    await sleep(60 + 40 * (round % 6)) // as long as nobody's look need have seen it
    await write('accounts.yaml', `${'\n'.repeat(round)}robots: [`)
    await until(() => logOf(gateway).some(({ mistake }) => String(mistake).includes(`accounts.yaml:${round + 1}:`)) ? true : undefined)
    const before = await agreed(gateway, all)
    t.ok(before.endsWith(secrets.slice(round + 1).map(() => ',200').join('')), 'nobody else is shut out')
    const [victim] = workersOf(gateway) as [number]
    process.kill(victim, 'SIGKILL')
    await until(() => workersOf(gateway).length === 3 && !workersOf(gateway).includes(victim) ? true : undefined)
    t.equal(await agreed(gateway, all), before, `after ${round + 1} of them, one that takes the place of another agrees too`)
  }
  t.equal(gateway.stderr(), '')
})

await t.test('a worker that dies while every file is broken is replaced, by one that knows whom the others know', async t => {
  const [stays, gone] = [newSecret(), newSecret()]
  const { dir, write } = await filesOf(t)
  const config = { workers: 2, accounts: { files: ['accounts.yaml'] }, policy: [RULE] }
  await write('accounts.yaml', { robots: [robot('stays', stays), robot('gone', gone)] })
  await write('chartgate.yaml', config)
  const gateway = await serveFile(t, { file: join(dir, 'chartgate.yaml') })
  await until(() => workersOf(gateway).length === 2 ? true : undefined)
  await write('chartgate.yaml', BROKEN)
  await write('accounts.yaml', { robots: [robot('stays', stays)] })
  await until(async () => await always(gateway, `Bearer ${gone}`, 401) ? true : undefined)
  await write('accounts.yaml', 'robots: {')
  await rm(join(dir, 'chartgate.yaml'))
  for (let round = 0; round < 2; round++) {
    const before = workersOf(gateway)
    for (const pid of before) process.kill(pid, 'SIGKILL')
    await until(() => workersOf(gateway).length === 2 && !workersOf(gateway).some(pid => before.includes(pid)) ? true : undefined)
    t.equal(await always(gateway, `Bearer ${stays}`, 200), true)
    t.equal(await always(gateway, `Bearer ${gone}`, 401), true)
  }
  await write('accounts.yaml', { robots: [robot('stays', stays), robot('gone', gone)] })
  await write('chartgate.yaml', config)
  await until(async () => await always(gateway, `Bearer ${gone}`, 200) ? true : undefined)
  t.equal(gateway.stderr(), '')
})

await t.test('a configuration or a secret that is emptied, as while somebody writes it, opens nothing and shuts nobody out', async t => {
  const [stays, gone, token] = [newSecret(), newSecret(), newMasterKey()]
  const { dir, write } = await filesOf(t)
  const config = { workers: 2, accounts: { files: ['accounts.yaml'] }, policy: [RULE] }
  await write('accounts.yaml', { robots: [robot('stays', stays), robot('gone', gone)] })
  await write('chartgate.yaml', config)
  await write('admin.token', `${token}\n`)
  const gateway = await serveFile(t, { file: join(dir, 'chartgate.yaml'), env: { CHARTGATE_ADMIN_TOKEN_FILE: 'admin.token' } })
  const metrics = async (authorization?: string): Promise<number> => (await fetch(`${gateway.adminUrl}/metrics`, authorization === undefined ? {} : { headers: { authorization } })).status
  const refusals = (): number => logOf(gateway).filter(({ mistake }) => String(mistake).endsWith('is empty') || /is empty: write/.test(String(mistake))).length
  for (const name of ['chartgate.yaml', 'admin.token']) {
    const before = refusals()
    await write(name, '')
    await until(() => refusals() > before ? true : undefined)
    t.equal(await metrics(), 401, name)
    t.equal(await metrics(`Bearer ${token}`), 200, name)
    t.equal(await always(gateway, `Bearer ${stays}`, 200), true, name)
  }
  await write('accounts.yaml', { robots: [robot('stays', stays)] })
  await until(async () => await always(gateway, `Bearer ${gone}`, 401) ? true : undefined)
  t.equal(await statusOf(gateway, `Bearer ${stays}`), 200)
  t.equal(gateway.stderr(), '')
})

await t.test('a file that could not be read for want of descriptors is read when there are some again', async t => {
  const [gone, stays] = [newSecret(), newSecret()]
  const { dir, write } = await filesOf(t)
  await write('accounts.yaml', { robots: [robot('gone', gone), robot('stays', stays)] })
  await write('chartgate.yaml', { accounts: { files: ['accounts.yaml'] }, policy: [RULE] })
  const [port, adminPort] = await freePorts(2) as [number, number]
  // Enough for a start, at which Node opens all modules of a level at once.
  const started = await startProcess(t, 'sh', ['-c', 'ulimit -n 200; exec "$0" "$@"', process.execPath, 'dist/src/cli.js', 'serve', '--config', join(dir, 'chartgate.yaml')], {
    env: { CHARTGATE_LISTEN_PORT: String(port), CHARTGATE_ADMIN_PORT: String(adminPort), CHARTGATE_STATE_DIR: join(dir, 'state') },
    readyUrl: `http://127.0.0.1:${adminPort}/readyz`
  })
  const gateway = { ...started, url: `http://127.0.0.1:${port}` }
  t.equal(await statusOf(gateway, `Bearer ${gone}`), 200)
  const sockets: Socket[] = []
  t.teardown(() => { for (const socket of sockets) socket.destroy() })
  // All at once: who says nothing is closed after some seconds.
  for (let i = 0; i < 220; i++) sockets.push(connect(port, '127.0.0.1').on('error', () => {}))
  let closed = 0
  for (const socket of sockets) socket.once('close', () => { closed++ })
  await Promise.all(sockets.map(async socket => await once(socket, 'connect')))
  // For those that are too many libuv gives up a descriptor that it has in reserve, for a moment in which a file could be opened.
  await until(() => closed > 0 ? true : undefined)
  await write('accounts.yaml', { robots: [robot('stays', stays)] })
  const refusals = (): Line[] => logOf(gateway).filter(({ mistake }) => /EMFILE/.test(String(mistake)))
  await until(() => refusals().length > 0 ? true : undefined)
  await new Promise(resolve => setTimeout(resolve, 1_500)) // several looks
  t.equal(refusals().length, 1, 'said once, not at each look')
  for (const socket of sockets) socket.destroy()
  await until(async () => await statusOf(gateway, `Bearer ${gone}`) === 401 ? true : undefined)
  t.equal(await statusOf(gateway, `Bearer ${stays}`), 200)
})
