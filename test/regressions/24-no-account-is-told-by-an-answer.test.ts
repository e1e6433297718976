// Class 24: whoever guesses learns who has an account, or which repository exists.
// note-mark CVE-2026-40263 and static-web-server CVE-2026-27480 hashed a password for
// known users alone, so that the time of an answer told them apart. Counted here, and
// timed in benchmarks/scenarios/policy.ts: each guess costs one hash of the same kind.
import t, { type Test } from 'tap'
import { grant } from '../helpers/app.ts'
import { newPassword, newSecret } from '../helpers/secrets.ts'
import { basic, form, startTeam, type Answer, type Ask, type Person, type Team } from '../helpers/team.ts'

/** What differs from one answer to the next whatever was asked. */
const ALWAYS_NEW = ['date', 'x-request-id']

function seenBy ({ status, headers, body }: Answer): unknown {
  return { status, headers: Object.entries(headers).filter(([name]) => !ALWAYS_NEW.includes(name)), body }
}

const secret = newSecret()
const WRONG = newPassword()

/** Every door that takes a password, with a name and a password in it. */
const DOORS: readonly (readonly [string, string, (name: string, password: string) => Ask])[] = [
  ['a private index', '/org1/repo1/index.yaml', (name, password) => ({ authorization: basic(name, password) })],
  ['a public index', '/public/charts/index.yaml', (name, password) => ({ authorization: basic(name, password) })],
  ['an upload', '/api/org1/repo1/charts', (name, password) => ({ method: 'POST', authorization: basic(name, password) })],
  ['a deletion', '/api/org1/repo1/charts/a/1.0.0', (name, password) => ({ method: 'DELETE', authorization: basic(name, password) })],
  ['a token, GET', '/oauth/token?scope=artifact-repository:org1/repo1:pull', (name, password) => ({ authorization: basic(name, password) })],
  ['a token, with an account', '/oauth/token?account=NAME', (name, password) => ({ authorization: basic(name, password) })],
  ['a token, password', '/oauth/token', (name, password) => form({ grant_type: 'password', username: name, password })],
  ['a token, client credentials', '/oauth/token', (name, password) => form({ grant_type: 'client_credentials', client_id: name, client_secret: password })]
]

/** Names that are somebody's in one way or another, and one that is nobody's. */
const NAMES = ['alice', 'bob', 'dave', 'ci', 'team', 'master', 'anonymous', 'nobody']

async function startWith (t: Test, kind: NonNullable<Person['kind']>): Promise<Team> {
  return await startTeam(t, {
    people: [{ name: 'alice', password: newPassword(), groups: ['team'], kind }, { name: 'bob', password: newPassword(), kind }, { name: 'dave', password: newPassword(), disabled: true, kind }],
    robots: [{ name: 'ci', secrets: [secret] }],
    policy: [{ repositories: ['org1/repo1'], subjects: ['group:team'], actions: ['pull'] }, { repositories: ['public/*'], subjects: ['anonymous'], actions: ['pull'] }]
  })
}

for (const kind of ['argon2id', 'bcrypt'] as const) {
  await t.test(`a wrong password gets the same answer for every name and costs one hash, where passwords are ${kind}`, async t => {
    const { ask, hashed, stub } = await startWith(t, kind)
    for (const [door, path, options] of DOORS) {
      const answers: unknown[] = []
      for (const name of NAMES) {
        hashed.length = 0
        const answer = await ask(path.replace('NAME', name), options(name, WRONG))
        t.equal(answer.status, 401, `${door}: ${name}`)
        t.strictSame(hashed, [kind === 'bcrypt' ? 'bcrypt' : 'argon2'], `${door}: ${name} costs one hash`)
        answers.push(seenBy(answer))
      }
      for (const answer of answers) t.strictSame(answer, answers[0], `${door}: byte for byte`)
    }
    t.equal(stub.seen.length, 0)
  })
}

await t.test('what is no password at all costs nobody a hash, known or not', async t => {
  const { ask, hashed } = await startWith(t, 'argon2id')
  for (const [door, path, options] of DOORS) {
    for (const password of ['', 'x'.repeat(1025), newSecret(), 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln']) {
      const answers = []
      for (const name of NAMES) answers.push(seenBy(await ask(path.replace('NAME', name), options(name, password))))
      for (const answer of answers) t.strictSame(answer, answers[0], `${door}: ${password.length} characters`)
    }
  }
  t.strictSame(hashed, [])
})

await t.test('a disabled account, and an expired or unknown secret, look like none', async t => {
  const password = newPassword()
  const off = newSecret()
  const { ask } = await startTeam(t, { people: [{ name: 'dave', password, disabled: true }], robots: [{ name: 'off', secrets: [off], disabled: true }] })
  for (const [, path, options] of DOORS.slice(0, 5)) {
    const nobody = seenBy(await ask(path, options('nobody', WRONG)))
    t.strictSame(seenBy(await ask(path, options('dave', password))), nobody)
    for (const text of [off, newSecret()]) t.strictSame(seenBy(await ask(path, options('off', text))), nobody)
  }
})

await t.test('a repository that one may not see answers as one that is not there', async t => {
  const password = newPassword()
  const team = await startTeam(t, {
    people: [{ name: 'eve', password }],
    policy: [{ repositories: ['org9/own'], subjects: ['user:eve'], actions: ['pull'] }, { repositories: ['public/*'], subjects: ['anonymous'], actions: ['pull'] }]
  })
  const { gateway, stub, ask, token } = team
  // The upstream tells them apart; it is not asked.
  stub.answer = ({ target }) => target.includes('missing') ? { status: 404, body: '{"error":"not found"}' } : { status: 200, body: 'secret' }
  const credentials: [string, string | undefined][] = [['nobody', undefined], ['a user', basic('eve', password)], ['a token', `Bearer ${await gateway.token([grant('org9/own', 'pull')])}`], ['a bad password', basic('eve', WRONG)]]
  const requests = ['GET /TENANT/index.yaml', 'HEAD /TENANT/index.yaml', 'GET /TENANT/charts/a-1.0.0.tgz', 'GET /api/TENANT/charts', 'HEAD /api/TENANT/charts/a', 'GET /api/TENANT/charts/a/1.0.0', 'POST /api/TENANT/charts', 'POST /api/TENANT/prov', 'DELETE /api/TENANT/charts/a/1.0.0']
  for (const [who, authorization] of credentials) {
    const about = async (tenant: string, line: string): Promise<unknown> => {
      const [method = '', path = ''] = line.split(' ')
      const answer = await ask(path.replace('TENANT', tenant), { method, ...(authorization === undefined ? {} : { authorization }) })
      t.ok([401, 403].includes(answer.status), `${who}: ${line}`)
      // The answer may name what was asked for, and nothing that depends on it.
      return JSON.parse(JSON.stringify(seenBy(answer)).replaceAll(tenant, 'TENANT')) as unknown
    }
    for (const line of requests) t.strictSame(await about('org1/private', line), await about('org1/missing', line), `${who}: ${line}`)
    if (authorization === undefined || who === 'a user') {
      for (const tenant of ['org1/private', 'org1/missing']) {
        t.strictSame((await token(`?scope=artifact-repository:${tenant}:pull`, authorization === undefined ? {} : { authorization })).claims['access'], [], 'a token for it is as empty')
      }
    }
  }
  t.equal(stub.seen.length, 0)
})
