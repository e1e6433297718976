// Class 23: a right that was taken away still works. zot CVE-2025-23208 only ever added
// groups; Harbor CVE-2022-31667, -31669 and -31670. The built program with its files, as
// people run it: each change is refused without a restart, in every form of a credential,
// and whoever is not concerned goes on.
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { request } from 'undici'
import { digestOf } from '../../src/identity/sources/robot-secret.ts'
import { cheapHash } from '../helpers/accounts.ts'
import { MANY_LOGINS } from '../helpers/app.ts'
import { serveFile } from '../helpers/gateway.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { newMasterKey, newPassword, newSecret, recordToken } from '../helpers/secrets.ts'
import { basic } from '../helpers/team.ts'

const INDEX = '/team/web/index.yaml'
const SCOPE = 'artifact-repository:team/web:pull'
const [alicePassword, bobPassword, secret, second, readerSecret] = [newPassword(), newPassword(), newSecret(), newSecret(), newSecret()]

interface Team {
  users: { name: string, passwordHash: string, groups: string[], disabled?: boolean }[]
  robots: { name: string, secrets: { hash: string, expires?: string }[], groups: string[], disabled?: boolean }[]
  policy: { repositories: string[], subjects: string[], actions: string[] }[]
}

const [aliceHash, bobHash] = [await cheapHash(alicePassword), await cheapHash(bobPassword)]
const hashOf = (text: string): { hash: string } => ({ hash: `sha256:${digestOf(text)}` })

/** Everybody may: alice by her group, bob by his name, ci by its name, reader by its group. */
const everybody = (): Team => ({
  users: [{ name: 'alice', passwordHash: aliceHash, groups: ['web'] }, { name: 'bob', passwordHash: bobHash, groups: [] }],
  robots: [{ name: 'ci', secrets: [hashOf(secret), hashOf(second)], groups: [] }, { name: 'reader', secrets: [hashOf(readerSecret)], groups: ['web'] }],
  policy: [{ repositories: ['team/*'], subjects: ['group:web'], actions: ['pull'] }, { repositories: ['team/web'], subjects: ['user:bob', 'robot:ci'], actions: ['pull'] }]
})

const CREDENTIALS: Readonly<Record<string, string>> = {
  alice: basic('alice', alicePassword),
  bob: basic('bob', bobPassword),
  ci: basic('ci', secret),
  'ci, the second secret': `Bearer ${second}`,
  reader: `Bearer ${readerSecret}`
}

const masterKey = newMasterKey()
const dir = await temporaryFolder(t)
const file = join(dir, 'chartgate.yaml')

/** Writes both files as an editor does: whole, and under their name at once. */
async function write ({ policy, ...accounts }: Team, only?: 'accounts' | 'policy'): Promise<void> {
  const texts: Record<string, string> = { 'accounts.yaml': stringify(accounts), 'chartgate.yaml': stringify({ masterKey, accounts: { files: ['accounts.yaml'] }, limits: { logins: MANY_LOGINS }, policy }) }
  for (const [name, text] of Object.entries(texts)) {
    if (only !== undefined && !name.startsWith(only === 'accounts' ? 'accounts' : 'chartgate')) continue
    await writeFile(join(dir, `${name}.new`), text)
    await rename(join(dir, `${name}.new`), join(dir, name))
  }
}

await write(everybody())
const { url } = await serveFile(t, { file })

async function status (authorization: string): Promise<number> {
  const answer = await request(url + INDEX, { headers: { authorization } })
  await answer.body.dump()
  return answer.statusCode
}

async function tokenOf (authorization: string): Promise<string> {
  const answer = await request(`${url}/oauth/token?scope=${SCOPE}`, { headers: { authorization } })
  return `Bearer ${recordToken((await answer.body.json() as { access_token: string }).access_token)}`
}

/** Asks until the answer is this; the last answer when it never is. */
async function until (authorization: string, wanted: number): Promise<number> {
  let found = NaN
  for (let i = 0; i < 400 && found !== wanted; i++) {
    if (i > 0) await sleep(50)
    found = await status(authorization)
  }
  return found
}

interface Change {
  readonly name: string
  readonly only: 'accounts' | 'policy'
  readonly change: (team: Team) => void
  /** Who is refused then, and how. */
  readonly refused: Readonly<Record<string, number>>
  /** Whose tokens of before are refused too; a token speaks for itself while its account is there. */
  readonly tokens: readonly string[]
}

const user = (team: Team, name: string): Team['users'][number] => team.users.find(each => each.name === name) as Team['users'][number]
const robot = (team: Team, name: string): Team['robots'][number] => team.robots.find(each => each.name === name) as Team['robots'][number]

const CHANGES: readonly Change[] = [
  { name: 'a group is taken from a user', only: 'accounts', change: team => { user(team, 'alice').groups = [] }, refused: { alice: 403 }, tokens: [] },
  { name: 'a group is taken from a robot', only: 'accounts', change: team => { robot(team, 'reader').groups = [] }, refused: { reader: 401 }, tokens: [] },
  { name: 'a group gets another name', only: 'accounts', change: team => { user(team, 'alice').groups = ['web-2'] }, refused: { alice: 403 }, tokens: [] },
  { name: 'a user is disabled', only: 'accounts', change: team => { user(team, 'bob').disabled = true }, refused: { bob: 401 }, tokens: ['bob'] },
  { name: 'a user is removed, whom a rule still names', only: 'accounts', change: team => { team.users = team.users.filter(({ name }) => name !== 'bob') }, refused: { bob: 401 }, tokens: ['bob'] },
  { name: 'a password is changed', only: 'accounts', change: team => { user(team, 'bob').passwordHash = aliceHash }, refused: { bob: 401 }, tokens: [] },
  { name: 'a robot is disabled', only: 'accounts', change: team => { robot(team, 'ci').disabled = true }, refused: { ci: 401, 'ci, the second secret': 401 }, tokens: ['ci', 'ci, the second secret'] },
  { name: 'a robot is removed, whom a rule still names', only: 'accounts', change: team => { team.robots = team.robots.filter(({ name }) => name !== 'ci') }, refused: { ci: 401, 'ci, the second secret': 401 }, tokens: ['ci', 'ci, the second secret'] },
  { name: 'one of two secrets is removed', only: 'accounts', change: team => { robot(team, 'ci').secrets.shift() }, refused: { ci: 401 }, tokens: [] },
  { name: 'one of two secrets ends', only: 'accounts', change: team => { Object.assign(robot(team, 'ci').secrets[1] as object, { expires: '2020-01-01' }) }, refused: { 'ci, the second secret': 401 }, tokens: [] },
  { name: 'a rule is deleted', only: 'policy', change: team => { team.policy.pop() }, refused: { bob: 403, ci: 403, 'ci, the second secret': 401 }, tokens: [] },
  { name: 'a rule names others', only: 'policy', change: team => { team.policy[0] = { repositories: ['team/*'], subjects: ['group:ops'], actions: ['pull'] } }, refused: { alice: 403, reader: 401 }, tokens: [] },
  { name: 'a rule allows something else', only: 'policy', change: team => { team.policy[1] = { repositories: ['team/web'], subjects: ['user:bob', 'robot:ci'], actions: ['push'] } }, refused: { bob: 403, ci: 403, 'ci, the second secret': 401 }, tokens: [] },
  { name: 'everybody is removed', only: 'accounts', change: team => { team.users = []; team.robots = [] }, refused: { alice: 401, bob: 401, ci: 401, 'ci, the second secret': 401, reader: 401 }, tokens: Object.keys(CREDENTIALS) }
]

for (const change of CHANGES) {
  await t.test(change.name, async t => { await tryChange(t, change) })
}

async function tryChange (t: Test, { only, change, refused, tokens }: Change): Promise<void> {
  const before: Record<string, string> = {}
  for (const [name, authorization] of Object.entries(CREDENTIALS)) {
    t.equal(await until(authorization, 200), 200, `${name} may, before`)
    before[name] = await tokenOf(authorization)
    t.equal(await status(before[name]), 200, `and ${name}'s token`)
  }
  const changed = everybody()
  change(changed)
  await write(changed, only)
  for (const [name, code] of Object.entries(refused)) t.equal(await until(CREDENTIALS[name] as string, code), code, `${name} is refused`)
  for (const name of tokens) t.equal(await status(before[name] as string), 401, `and so is ${name}'s token of before`)
  for (const name of Object.keys(CREDENTIALS)) {
    if (!Object.hasOwn(refused, name)) t.equal(await status(CREDENTIALS[name] as string), 200, `${name} goes on`)
    if (!tokens.includes(name)) t.equal(await status(before[name] as string), 200, `${name}'s token speaks for itself until it expires`)
  }
  for (const [name, code] of Object.entries(refused)) {
    const answer = await request(`${url}/oauth/token?scope=${SCOPE}`, { headers: { authorization: CREDENTIALS[name] as string } })
    const body = await answer.body.json() as { scope?: string }
    // Who is known and may not gets a token that is good for nothing; a robot's secret as Bearer is a 401 on routes in both cases.
    if (answer.statusCode === 200) t.equal(body.scope, '', `${name} gets no new token for it`)
    else t.strictSame([code, answer.statusCode], [401, 401], `${name} gets no new token`)
  }
  await write(everybody())
}
