// Class 38: a flood of wrong passwords keeps everybody with a right one out, also when its
// connections have long gone. Each wrong one costs a slow hash, two at a time: 3,000 of
// them were a minute, in which nobody else was let in, and what waited grew without end.
// What is tried here is the queue, without the limits that stand in front of it (class 26).
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createPasswords, hashPassword } from '../../src/identity/sources/passwords.ts'
import { MANY_LOGINS, startApp, type TestGateway } from '../helpers/app.ts'
import { startGateway } from '../helpers/gateway.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { newPassword } from '../helpers/secrets.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { accountsFile, basic } from '../helpers/team.ts'
import { until } from '../helpers/until.ts'
import { WORKER_COUNTS } from '../helpers/in-short.ts'

const INDEX = '/org1/repo1/index.yaml'
const POLICY = [{ repositories: ['org1/repo1'], subjects: ['user:alice'], actions: ['pull' as const] }]
/** Of 127.0.0.0/8, all of which is this machine. */
const HUNDRED = Array.from({ length: 100 }, (_, i) => `127.0.1.${i + 1}`)
/** Whom nobody has anything against. */
const QUIET = '127.0.0.9'

/** A door of hashes that opens when the test says so. */
class Turnstile {
  /** Hashes that have begun. */
  begun = 0
  /** How many had begun when the last one with the right password did, itself among them. */
  begunWhenRight = 0
  private readonly waiting: (() => void)[] = []
  private isOpen = false

  async pass (isRight: boolean): Promise<void> {
    this.begun++
    if (isRight) this.begunWhenRight = this.begun
    if (!this.isOpen) await new Promise<void>(resolve => { this.waiting.push(resolve) })
  }

  /** Lets one hash end. */
  one (): void { this.waiting.shift()?.() }

  /** Lets all of them end, and all that come. */
  open (): void {
    this.isOpen = true
    for (const resolve of this.waiting.splice(0)) resolve()
  }
}

interface Lab {
  readonly gateway: TestGateway
  readonly turnstile: Turnstile
  readonly password: string
  /** Requests that have come. */
  readonly arrived: { count: number }
}

async function startLab (t: Test): Promise<Lab> {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ headers: { 'content-type': 'application/x-yaml' }, body: 'apiVersion: v1\nentries: {}\n' })
  const password = newPassword()
  const file = join(await temporaryFolder(t), 'accounts.yaml')
  writeFileSync(file, await accountsFile([{ name: 'alice', password }, { name: 'bob', password: newPassword() }]))
  const turnstile = new Turnstile()
  const argon2 = async (_hash: string, given: string): Promise<boolean> => {
    await turnstile.pass(given === password)
    return given === password
  }
  const gateway = await startApp(t, {
    origin: stub.origin,
    config: config => ({ ...config, accounts: { files: [file] }, policy: POLICY }),
    passwords: createPasswords({ argon2, bcrypt: argon2 })
  })
  t.teardown(() => { turnstile.open() })
  const arrived = { count: 0 }
  gateway.app.server.on('request', () => { arrived.count++ })
  return { gateway, turnstile, password, arrived }
}

function requestFor (name: string, password: string, path = INDEX): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic(name, password)}\r\n\r\n`
}

interface Flood {
  readonly from: readonly string[]
  /** Connections of each address. */
  readonly connections: number
  /** Requests on each connection, which do not wait for their answers. */
  readonly depth: number
  /** The account that the passwords are guessed of. */
  readonly name: (i: number) => string
  readonly path?: string
}

/** Sends wrong passwords, each another one; the sockets, open. */
async function flood (t: Test, port: number, { from, connections, depth, name, path }: Flood): Promise<Socket[]> {
  return await Promise.all(from.flatMap(localAddress => Array.from({ length: connections }, async (_, i) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    t.teardown(() => { socket.destroy() })
    socket.on('error', () => {}).resume()
    await once(socket, 'connect')
    socket.write(Array.from({ length: depth }, (_, j) => requestFor(name(i * depth + j), newPassword(), path)).join(''))
    return socket
  })))
}

/** Asks with the right password; the status, once it is there. */
function askAsAlice (t: Test, port: number, localAddress: string, password: string): { readonly status: () => number | undefined } {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  t.teardown(() => { socket.destroy() })
  let text = ''
  socket.setEncoding('latin1').on('error', () => {}).on('data', (chunk: string) => { text += chunk })
  socket.write(requestFor('alice', password))
  return { status: () => text.includes('\r\n\r\n') ? Number(text.split(' ')[1]) : undefined }
}

/** How many hashes begin until that of alice does, who asks now: her own is one of them. */
async function hashesUntilIn (t: Test, { gateway, turnstile, password, arrived }: Lab, from: string): Promise<number> {
  const [before, begun] = [arrived.count, turnstile.begun]
  const alice = askAsAlice(t, gateway.port, from, password)
  await until(() => arrived.count > before || undefined)
  const status = await until(() => {
    turnstile.one()
    return alice.status()
  })
  t.equal(status, 200)
  return turnstile.begunWhenRight - begun
}

async function connectionsOf (server: Server): Promise<number> {
  return await new Promise((resolve, reject) => { server.getConnections((error, count) => { if (error === null) resolve(count); else reject(error) }) })
}

await t.test('whatever one address has waiting, a right password from another is hashed next', async t => {
  for (const name of [() => 'alice', (i: number) => `nobody${i}`]) {
    const lab = await startLab(t)
    await flood(t, lab.gateway.port, { from: ['127.0.0.2'], connections: 600, depth: 1, name })
    await until(() => lab.arrived.count === 600 || undefined)
    const hashes = await hashesUntilIn(t, lab, QUIET)
    t.ok(hashes <= 6, `${hashes} hashes until it was alice's turn`)
    lab.turnstile.open()
  }
})

await t.test('a hundred addresses that guess one account\'s password do not keep its owner out', async t => {
  const lab = await startLab(t)
  await flood(t, lab.gateway.port, { from: HUNDRED, connections: 9, depth: 1, name: () => 'alice' })
  await until(() => lab.arrived.count === 900 || undefined)
  const first = await hashesUntilIn(t, lab, QUIET)
  t.ok(first <= 106, `${first} hashes until alice was in, when nobody was known yet`)
  await until(() => {
    lab.turnstile.one()
    return lab.turnstile.begun > 120 || undefined
  })
  const later = await hashesUntilIn(t, lab, '127.0.0.10')
  t.ok(later <= 6, `${later} hashes, when it was known who comes with wrong ones`)
})

await t.test('for connections that have gone nothing is hashed, but what had begun', async t => {
  const lab = await startLab(t)
  const wave = { connections: 10, depth: 1, name: (i: number) => i % 2 === 0 ? 'alice' : 'bob' }
  const sockets = [
    ...await flood(t, lab.gateway.port, { ...wave, from: HUNDRED.slice(0, 50) }),
    ...await flood(t, lab.gateway.port, { ...wave, from: HUNDRED.slice(50), path: '/oauth/token' })
  ]
  await until(() => lab.arrived.count === 1_000 || undefined)
  for (const [i, socket] of sockets.entries()) {
    if (i % 2 === 0) socket.end()
    else socket.resetAndDestroy()
  }
  await until(async () => await connectionsOf(lab.gateway.app.server) === 0 || undefined)
  lab.turnstile.open()
  const alice = askAsAlice(t, lab.gateway.port, QUIET, lab.password)
  t.equal(await until(alice.status), 200)
  t.ok(lab.turnstile.begun <= 3, `${lab.turnstile.begun} hashes, alice's among them`)
  t.notMatch(lab.gateway.logText(), '"refused"', 'and nobody is said to have been refused who had gone')
})

await t.test('nor for those that have gone behind a body that is not read', async t => {
  const lab = await startLab(t)
  const { gateway: { port, app }, turnstile } = lab
  const sockets = await Promise.all(HUNDRED.slice(0, 20).map(async localAddress => {
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    t.teardown(() => { socket.destroy() })
    socket.on('error', () => {}).resume()
    await once(socket, 'connect')
    socket.write(`POST /api/org1/repo1/charts HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('alice', newPassword())}\r\nContent-Length: 1000000\r\n\r\n`)
    socket.write('x'.repeat(300_000))
    return socket
  }))
  await until(() => lab.arrived.count === sockets.length || undefined)
  for (const socket of sockets) socket.end()
  t.ok(await until(async () => await connectionsOf(app.server) <= 2 || undefined))
  t.equal(turnstile.begun, 2)
})

await t.test('more than can wait is refused at once, in the form of each door, and says when to come again', async t => {
  const lab = await startLab(t)
  const { gateway: { url }, turnstile } = lab
  const guess = async (path: string): Promise<Response> => await fetch(url + path, { headers: { authorization: basic('alice', newPassword()) } })
  const waiting: Promise<Response>[] = []
  for (const path of [INDEX, '/oauth/token']) {
    const answer = await until(async () => {
      const asked = guess(path)
      waiting.push(asked)
      return await Promise.race([asked, until(() => lab.arrived.count === waiting.length || undefined).then(() => undefined)])
    })
    t.equal(answer.status, 429)
    t.equal(answer.headers.get('retry-after'), '5')
    t.equal(answer.headers.get('www-authenticate'), null)
    const message = 'too many passwords at once: try again shortly'
    t.strictSame(await answer.json(), path === INDEX ? { error: message } : { error: 'temporarily_unavailable', error_description: message, errors: [{ code: 'TOOMANYREQUESTS', message }] })
  }
  t.ok(waiting.length < 30, `${waiting.length} were asked`)
  t.match(lab.gateway.log.at(-1), { decision: 'refused', reason: 'too_many_attempts', status: 429 })
  turnstile.open()
  t.strictSame(new Set((await Promise.all(waiting)).map(({ status }) => status)), new Set([401, 429]), 'who waits is answered')
})

for (const workers of WORKER_COUNTS) {
  await t.test(`with real hashes a right password gets in ahead of 3,000 wrong ones, open or closed (workers: ${workers})`, async t => {
    const password = newPassword()
    const file = join(await temporaryFolder(t), 'accounts.yaml')
    writeFileSync(file, JSON.stringify({ users: [{ name: 'alice', passwordHash: await hashPassword(password) }] }))
    const program = await startGateway(t, { workers, accounts: { files: [file] }, policy: POLICY, limits: { logins: MANY_LOGINS } })
    await until(async () => (await fetch(`${program.adminUrl}/readyz`)).ok || undefined)
    const port = Number(new URL(program.url).port)
    const guesses = (): number => program.stdout().split('"reason":"bad_password"').length - 1
    const cases = [['one address', ['127.0.0.2'], 60, 50], ['one connection', ['127.0.0.2'], 1, 3_000], ['a hundred addresses', HUNDRED, 3, 10]] as const
    for (const [what, from, connections, depth] of cases) {
      const before = guesses()
      const sockets = await flood(t, port, { from, connections, depth, name: () => 'alice' })
      await until(() => guesses() > before || undefined)
      const [open, closed] = [askAsAlice(t, port, QUIET, password), askAsAlice(t, port, '127.0.0.10', password)]
      t.equal(await until(open.status), 200)
      for (const socket of sockets) socket.destroy()
      t.equal(await until(closed.status), 200)
      t.ok(guesses() - before < 400, `${what}: ${guesses() - before} wrong ones were hashed before`)
    }
  })
}
