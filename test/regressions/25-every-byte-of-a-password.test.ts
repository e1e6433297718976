// Class 25: a hash that does not read all of a password, or that stops everything while it
// works. Okta in October 2024: bcrypt reads 72 bytes, and what stood behind them did not
// count. Passwords here count with every byte or are refused before they are hashed, and
// hashes are computed beside the event loop.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { request } from 'undici'
import type { Config } from '../../src/config/schema.ts'
import { hashPassword } from '../../src/identity/sources/passwords.ts'
import { startApp } from '../helpers/app.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { newPassword, newSecret } from '../helpers/secrets.ts'
import { sendRaw } from '../helpers/raw.ts'
import { basic, form, startTeam, type Ask } from '../helpers/team.ts'

/** A password of exactly so many bytes. */
const long = (bytes: number): string => newPassword().padEnd(bytes, 'x').slice(0, bytes)

const POLICY: Config['policy'] = [{ repositories: ['org1/repo1'], subjects: ['authenticated'], actions: ['pull'] }]
const INDEX = '/org1/repo1/index.yaml'

await t.test('no password is cut off: what lies beyond a hash\'s reach is refused, and not hashed', async t => {
  const [at72, at1024, umlaut] = [long(72), long(1024), `${newPassword()}\u00e4`.padStart(71, 'x')]
  const people = [
    { name: 'bcrypt72', password: at72, kind: 'bcrypt' as const },
    { name: 'bcrypt-umlaut', password: umlaut, kind: 'bcrypt' as const },
    { name: 'argon72', password: at72 },
    { name: 'argon1024', password: at1024 },
    { name: 'carol', password: newPassword() }
  ]
  const { ask, hashed } = await startTeam(t, { people, policy: POLICY })
  t.equal(Buffer.byteLength(umlaut), 72)
  const cases: [string, string, number, number][] = [
    ['bcrypt72', at72, 200, 1],
    ['bcrypt72', `${at72}x`, 401, 0],
    ['bcrypt72', `${at72}\u00e4`, 401, 0],
    ['bcrypt72', at72 + 'x'.repeat(10_000), 401, 0],
    ['bcrypt72', at72.slice(0, 71), 401, 1],
    ['bcrypt72', `${at72.slice(0, 71)}y`, 401, 1],
    ['bcrypt-umlaut', umlaut, 200, 1],
    ['bcrypt-umlaut', `${umlaut}x`, 401, 0],
    ['argon72', at72, 200, 1],
    ['argon72', `${at72}x`, 401, 1],
    ['argon1024', at1024, 200, 1],
    ['argon1024', `${at1024}x`, 401, 0],
    ['argon1024', at1024 + 'x'.repeat(8_000), 401, 0],
    ['nobody', at1024, 401, 1],
    ['nobody', `${at1024}x`, 401, 0]
  ]
  for (const [name, password, status, hashes] of cases) {
    for (const [path, options] of [[INDEX, { authorization: basic(name, password) }], ['/oauth/token', form({ grant_type: 'password', username: name, password })]] as [string, Ask][]) {
      hashed.length = 0
      const answer = await ask(path, options)
      t.equal(answer.status, status, `${name}, ${Buffer.byteLength(password)} bytes, ${path}`)
      // The second door remembers what the first one found right.
      t.equal(hashed.length, status === 200 && path !== INDEX ? 0 : hashes, 'hashes')
    }
  }
})

await t.test('a password of a megabyte is refused at the door, and reaches no hash', async t => {
  const { gateway, hashed } = await startTeam(t, { people: [{ name: 'alice', password: newPassword() }] })
  const huge = 'x'.repeat(1_000_000)
  const inHeader = await sendRaw(gateway.port, `GET ${INDEX} HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('alice', huge)}\r\n\r\n`)
  t.equal(inHeader.status, 431)
  const body = `grant_type=password&username=alice&password=${huge}`
  const inForm = await sendRaw(gateway.port, `POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  t.equal(inForm.status, 400)
  const inQuery = await sendRaw(gateway.port, `GET /oauth/token?grant_type=password&username=alice&password=${huge} HTTP/1.1\r\nHost: x\r\n\r\n`)
  t.ok([400, 401, 414, 431].includes(inQuery.status), String(inQuery.status))
  t.strictSame(hashed, [])
})

await t.test('a NUL ends no password', async t => {
  const password = newPassword()
  const { ask, hashed } = await startTeam(t, { people: [{ name: 'argon', password }, { name: 'bcrypt', password, kind: 'bcrypt' }] })
  for (const name of ['argon', 'bcrypt']) {
    for (const text of [`${password}\0`, `${password}\0x`, `\0${password}`, '\0', `${password.slice(0, 5)}\0${password.slice(5)}`]) {
      t.equal((await ask(INDEX, { authorization: basic(name, text) })).status, 401)
      t.equal((await ask('/oauth/token', form({ grant_type: 'password', username: name, password: text }))).status, 401)
      t.equal((await ask('/oauth/token', form({ grant_type: 'client_credentials', client_id: name, client_secret: text }))).status, 401)
      t.equal((await ask('/oauth/token', { ...form({ grant_type: 'client_credentials' }), headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: basic(name, encodeURIComponent(text)) } })).status, 401, 'nor one that is encoded')
    }
    t.equal((await ask(INDEX, { authorization: basic(`${name}\0`, password) })).status, 401, 'nor does one end a name')
  }
  // What is no password as it came is hashed as any other text; its decoded form, with the NUL, is not.
  t.equal(hashed.length, 10)
})

await t.test('letters count as they came: composed and decomposed are two passwords', async t => {
  const password = `${newPassword()}-\u00e4\u00f6\u00fc-\u212b`
  const other = password.normalize('NFD')
  const { ask, token } = await startTeam(t, {
    people: [{ name: 'nfc', password: password.normalize('NFC') }, { name: 'nfd', password: other, kind: 'bcrypt' }],
    policy: POLICY
  })
  for (const [name, text, status] of [['nfc', password.normalize('NFC'), 200], ['nfc', other, 401], ['nfc', password, 401], ['nfd', other, 200], ['nfd', password.normalize('NFC'), 401], ['nfc', password.normalize('NFKC').toUpperCase(), 401]] as const) {
    t.equal((await ask(INDEX, { authorization: basic(name, text) })).status, status, `${name} in Basic, which is UTF-8`)
    t.equal((await token('', form({ grant_type: 'password', username: name, password: text }))).status, status, `${name} in a form`)
  }
})

await t.test('while fifty wrong logins are hashed, others are served', async t => {
  const file = join(await temporaryFolder(t), 'accounts.yaml')
  // Hashes as hash-password makes them, at their full cost.
  writeFileSync(file, JSON.stringify({ users: [{ name: 'alice', passwordHash: await hashPassword(newPassword()) }] }))
  const gateway = await startApp(t, { origin: 'http://127.0.0.1:9', config: config => ({ ...config, accounts: { files: [file] } }) })
  const order: string[] = []
  const logins = Array.from({ length: 50 }, async (_, i) => {
    const answer = await request(gateway.url + INDEX, { headers: { authorization: basic(i % 10 === 0 ? 'alice' : `nobody${i}`, newPassword()) } })
    await answer.body.dump()
    order.push('login')
    return answer.statusCode
  })
  await Promise.race(logins) // the first has been hashed, so the others are on their way
  const other = async (authorization: string | undefined, path: string): Promise<void> => {
    const answer = await request(gateway.url + path, { headers: authorization === undefined ? {} : { authorization } })
    await answer.body.dump()
    order.push('other')
  }
  await Promise.all([other(undefined, '/health'), other(undefined, INDEX), other(`Bearer ${newSecret()}`, INDEX), other(`Bearer ${gateway.masterKey}`, '/oauth/token')])
  t.strictSame(new Set(await Promise.all(logins)), new Set([401]))
  t.equal(order.filter(each => each === 'login').length, 50)
  t.ok(order.lastIndexOf('other') < order.length - 20, 'four others were answered before most of the logins', { order: order.join(' ') })
})
