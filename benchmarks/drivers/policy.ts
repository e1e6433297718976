// What does it cost to know who asks and what they may? A decision among 10,000 rules and
// 1,000 accounts, a login of an unknown and of a known user, and what a remembered
// password costs beside a remembered token.
import { generateKeyPairSync } from 'node:crypto'
import { gatherAccounts, type Accounts, type UserEntry } from '../../src/identity/accounts.ts'
import { createAuthenticator } from '../../src/identity/authenticate.ts'
import type { Credentials } from '../../src/identity/credentials.ts'
import { NO_FEDERATION } from '../../src/identity/federation/providers.ts'
import { createFederationSource } from '../../src/identity/sources/federation.ts'
import { hashPassword } from '../../src/identity/sources/passwords.ts'
import { createAccountSources } from '../../src/identity/sources.ts'
import { createAttempts } from '../../src/limits/attempts.ts'
import { UNLIMITED } from '../../src/limits/logins.ts'
import { digestOf, makeSecret } from '../../src/identity/sources/robot-secret.ts'
import type { Principal } from '../../src/words/principal.ts'
import { CLOCK } from '../../src/lib/clock.ts'
import { ALWAYS_HERE } from '../../src/lib/presence.ts'
import { ACTIONS, type Action, type Access } from '../../src/words/access.ts'
import { decide } from '../../src/policy/decide.ts'
import { compileRules, type PolicyRule } from '../../src/policy/rules.ts'
import { issueToken } from '../../src/tokens/issue.ts'
import type { SigningKey } from '../../src/tokens/keys.ts'
import { createRing } from '../../src/tokens/ring.ts'
import { createVerifier } from '../../src/tokens/verify.ts'
import type { Figure, Unit } from '../scenario.ts'
import { report } from './task.ts'

const [RULES, ACCOUNTS, GROUPS, TENANTS] = [10_000, 1_000, 100, 5_000]
const DECISIONS = 1_000_000
const QUESTIONS = 4_096
const LOGINS = 30
const REMEMBERED = 200_000

const password = 'a password of this benchmark'

const figures: Figure[] = []

function found (name: string, value: number, unit: Unit): void {
  figures.push({ name, value, unit })
}

/** Microseconds for each of so many. */
function spent (count: number, work: () => void): number {
  const from = performance.now()
  work()
  return (performance.now() - from) * 1000 / count
}

function accountsOf (passwordHash: string, secret: string): Accounts {
  const users = Array.from({ length: ACCOUNTS }, (_, i): UserEntry => ({ name: `user${i}`, passwordHash, groups: [0, 1, 2].map(k => `group${(i + k * 7) % GROUPS}`), disabled: false, place: '' }))
  const gathered = gatherAccounts(users, [{ name: 'ci', groups: [], disabled: false, place: '', secrets: [{ digest: digestOf(secret) }] }])
  if (!gathered.ok) throw new Error(gathered.mistakes[0])
  return gathered.accounts
}

/** Of every kind: exact tenants, stars in the middle and at the end, for users, groups and everyone. */
function rulesOf (): PolicyRule[] {
  return Array.from({ length: RULES }, (_, i) => ({
    repositories: [[`org${i % TENANTS}/repo${i % 50}`], [`org${i % TENANTS}/*`], [`*/repo${i % 50}`], ['shared/**']][i % 10 < 6 ? 0 : i % 10 < 8 ? 1 : i % 100 === 8 ? 2 : i % 1000 === 9 ? 3 : 0] as string[],
    subjects: [i % 3 === 0 ? `group:group${i % GROUPS}` : `user:user${i % ACCOUNTS}`, ...(i % 1000 === 0 ? ['anonymous'] : [])],
    actions: i % 2 === 0 ? ['pull'] : ['pull', 'push']
  }))
}

function measureDecisions (accounts: Accounts): void {
  const started = performance.now()
  const rules = compileRules(rulesOf())
  found(`compiling ${RULES} rules`, performance.now() - started, 'ms')
  const principals = [...accounts.users.values()].map(({ principal }): Principal => principal)
  // Half of the questions are about a tenant that a rule names for a user, half about any.
  const questions = Array.from({ length: QUESTIONS }, (_, i): [Principal, Access] => {
    const rule = (i * 7) % RULES
    const own = i % 2 === 0 && rule % 3 !== 0
    return [principals[own ? rule % ACCOUNTS : (i * 31) % ACCOUNTS] as Principal, { type: 'artifact-repository', name: own ? `org${rule % TENANTS}/repo${rule % 50}` : `org${(i * 17) % TENANTS}/repo${i % 50}`, action: own ? 'pull' : ACTIONS[i % 4] as Action }]
  })
  for (const round of ['first', 'second']) {
    let allowed = 0
    const cost = spent(DECISIONS, () => {
      for (let i = 0; i < DECISIONS; i++) {
        const [principal, access] = questions[i % QUESTIONS] as [Principal, Access]
        if (decide(principal, access, rules).allowed) allowed++
      }
    })
    if (allowed === 0 || allowed === DECISIONS) throw new Error(`${allowed} of ${DECISIONS} are allowed: the questions are no good`)
    found(`a decision, ${round} million`, cost, 'µs')
  }
}

async function timed (count: number, work: (i: number) => unknown): Promise<number> {
  const from = performance.now()
  for (let i = 0; i < count; i++) await work(i)
  return (performance.now() - from) / count
}

async function measureLogins (accounts: Accounts, token: string, secret: string, key: SigningKey): Promise<void> {
  const source = { issuer: 'http://charts.example.test', audience: 'charts.example.test', ttl: 300 }
  const trusted = { ring: createRing([{ key, since: 0 }], [], source.ttl), issuers: [], ours: new Set([key.kid]) }
  const verifier = createVerifier({ keys: () => trusted, source, knowsSubject: subject => subject === 'user:user1', clock: CLOCK })
  const jobs = createFederationSource({ federation: () => NO_FEDERATION, ours: () => trusted.ours, clock: CLOCK })
  const authenticator = createAuthenticator(verifier, jobs, createAccountSources({ masterKey: () => '', accounts: () => accounts, clock: CLOCK, attempts: createAttempts(CLOCK.monotonic, UNLIMITED) }), UNLIMITED)
  const asker = { address: '192.0.2.1', presence: ALWAYS_HERE }
  const ask = async (credentials: Credentials): Promise<boolean> => (await authenticator.authenticate(credentials, asker)).ok
  const basic = (username: string, text: string): Credentials => ({ kind: 'basic', username, password: text })

  await ask(basic('nobody', 'warms up'))
  // In turns, so that whatever else the machine does falls on both.
  let [known, unknown] = [0, 0]
  for (let i = 0; i < LOGINS; i++) {
    known += await timed(1, async () => await ask(basic('user1', `wrong ${i}`)))
    unknown += await timed(1, async () => await ask(basic('nobody', `wrong ${i}`)))
  }
  found('a wrong password, known user', known / LOGINS, 'ms')
  found('a wrong password, unknown user', unknown / LOGINS, 'ms')
  const together = await timed(1, async () => await Promise.all(Array.from({ length: 200 }, async (_, i) => await ask(basic(`user${i}`, `at once ${i}`)))))
  found('200 wrong logins at once', together, 'ms')

  const cases: [string, Credentials][] = [['Basic, a remembered password', basic('user1', password)], ['Bearer, a remembered token', { kind: 'bearer', token }], ['Basic, a remembered token as the password', basic('any', token)], ["Bearer, a robot's secret", { kind: 'bearer', token: secret }]]
  for (const [label, credentials] of cases) {
    if (!await ask(credentials)) throw new Error(`${label} is refused`)
    for (const round of ['', ', again']) {
      const cost = spent(REMEMBERED, () => {
        for (let i = 0; i < REMEMBERED; i++) {
          const result = authenticator.authenticate(credentials, asker)
          if (result instanceof Promise) throw new Error(`${label} is not answered at once`)
        }
      })
      found(label + round, cost, 'µs')
    }
  }
}

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const key: SigningKey = { kid: 'benchmark', alg: 'RS256', privateKey, publicKey, file: '' }
const secret = makeSecret()
const accounts = accountsOf(await hashPassword(password), secret)
measureDecisions(accounts)
const { token } = await issueToken(key, { issuer: 'http://charts.example.test', audience: 'charts.example.test', ttl: 300 }, 'user:user1', [{ type: 'artifact-repository', name: 'org1/repo1', actions: ['pull'] }], CLOCK.wall())
await measureLogins(accounts, token, secret, key)
report({ figures })
