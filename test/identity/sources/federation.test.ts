// Tokens of jobs that come again and again: verified once, and no longer in force than what took them.
import t from 'tap'
import type { FederationConfig, FederationRule } from '../../../src/identity/federation/federation-config.ts'
import { NO_FEDERATION, type Federation } from '../../../src/identity/federation/providers.ts'
import { createFederationSource, type FederationSource } from '../../../src/identity/sources/federation.ts'
import type { IssuerKey } from '../../../src/tokens/issuer-keys.ts'
import type { RemoteKeys } from '../../../src/tokens/remote-keys.ts'
import { testClock, type TestClock } from '../../helpers/clock.ts'
import { federationOf, GITHUB, githubClaims, idToken, KUBERNETES, publicHalf, ruleFor } from '../../helpers/federation.ts'
import { keyNamed } from '../../helpers/keys.ts'
import { mintToken, NOW } from '../../helpers/tokens.ts'

const KEY = await keyNamed('platform')
const NO_RULE = { ok: false, code: 'federation_no_rule' }
const SOMEBODY = { ok: true, principal: { subject: 'ci:github:octo-org/octo-repo' } }

function config (...rules: Partial<FederationRule>[]): FederationConfig {
  return { providers: [GITHUB], rules: rules.map(rule => ruleFor(GITHUB, rule)) }
}

/** Keys that say how often somebody looked at them: each look at one is a signature that is verified. */
function counted (federation: Federation): { readonly federation: Federation, readonly verified: () => number } {
  let count = 0
  const providers = federation.providers.map(provider => {
    const keys = provider.keys().map(key => new Proxy(key, {
      get (target, name: keyof IssuerKey) {
        if (name === 'publicKey') count++
        return target[name]
      }
    }))
    return { ...provider, keys: () => keys }
  })
  return { federation: { ...federation, providers }, verified: () => count }
}

interface Lab {
  now: Federation
  readonly clock: TestClock
  readonly source: FederationSource
  ask (secret: string): ReturnType<FederationSource['authenticate']>
}

async function lab (first: Federation, most?: number): Promise<Lab> {
  const clock = testClock(NOW)
  const source = createFederationSource({ federation: () => made.now, ours: () => new Set(), clock, ...(most === undefined ? {} : { most }) })
  const made: Lab = { now: first, clock, source, ask: secret => source.authenticate({ secret }) }
  return made
}

await t.test('what is no token of a provider is nothing of its', async t => {
  const { ask, source } = await lab(await federationOf(config({}), KEY))
  const token = await idToken(KEY, githubClaims())
  for (const secret of ['', 'secret', token.slice(0, -3) + '!!!', await mintToken(), await idToken(KEY, githubClaims({ iss: 'https://other.example' })), `${token}.x`, `${token.split('.')[0]}.bm8.x`, await idToken(KEY, githubClaims({ x: 'x'.repeat(16_384) }))]) t.equal(ask(secret), undefined, secret.slice(0, 20))
  t.equal(source.isActive('ci:github:octo-org/octo-repo'), false)
  const nobody = await lab(NO_FEDERATION)
  t.equal(nobody.ask(token), undefined)
})

await t.test('a signature is verified once, also of a token that no rule takes', async t => {
  const { federation, verified } = counted(await federationOf(config({}), KEY))
  const made = await lab(federation)
  const token = await idToken(KEY, githubClaims())
  for (let i = 0; i < 3; i++) t.match(made.ask(token), SOMEBODY)
  t.equal(verified(), 1)
  const stranger = await idToken(KEY, githubClaims({ repository_id: '75' }))
  for (let i = 0; i < 3; i++) t.match(made.ask(stranger), NO_RULE)
  t.equal(verified(), 2)
  const early = await idToken(KEY, githubClaims({ nbf: NOW + 100 }))
  t.match(made.ask(early), { ok: false, code: 'token_not_yet_valid' })
  made.clock.pass(100)
  t.match(made.ask(early), SOMEBODY, 'whose time has come')
})

await t.test('who sends the same again on a connection is known without a hash', async t => {
  const made = await lab(await federationOf(config({}), KEY))
  const first = made.ask(await idToken(KEY, githubClaims()))
  if (first instanceof Promise || first?.ok !== true) throw new Error('not let in')
  t.match(first.again?.(), SOMEBODY)
  made.clock.pass(610)
  t.strictSame(first.again?.(), { ok: false, code: 'token_expired' })
})

await t.test('what is remembered ends with the token, whatever the clock is set to', async t => {
  const made = await lab(await federationOf(config({}), KEY))
  const token = await idToken(KEY, githubClaims())
  t.match(made.ask(token), SOMEBODY)
  made.clock.pass(609)
  t.match(made.ask(token), SOMEBODY)
  made.clock.pass(1)
  t.strictSame(made.ask(token), { ok: false, code: 'token_expired' })
  made.clock.set(-3600)
  t.strictSame(made.ask(token), { ok: false, code: 'token_expired' }, 'set back, it is no longer')
})

await t.test('a rule that is changed or gone ends what it took, and one that moved does not', async t => {
  const made = await lab(await federationOf(config({}), KEY))
  const token = await idToken(KEY, githubClaims())
  t.match(made.ask(token), { principal: { rights: { place: 'federation.rules[0]' } } })
  made.now = await federationOf(config({ match: { ref: ['x'] } }, {}), KEY)
  const moved = made.ask(token)
  if (moved instanceof Promise || moved?.ok !== true) throw new Error('not let in')
  t.equal(moved.principal.rights?.place, 'federation.rules[1]')
  t.match(moved.again?.(), { principal: { rights: { place: 'federation.rules[1]' } } })
  made.now = await federationOf(config({ actions: ['pull'] }), KEY)
  const changed = made.ask(token)
  if (changed instanceof Promise || changed?.ok !== true) throw new Error('not let in')
  t.equal(changed.principal.rights?.find('team-a/web', 'push'), undefined)
  made.now = await federationOf(config(), KEY)
  t.equal(changed.again?.(), undefined, 'on a connection too')
  t.match(made.ask(token), { ...NO_RULE, because: /^a job of github, sub / })
  made.now = await federationOf(config({}), KEY)
  t.match(made.ask(token), SOMEBODY, 'a refusal stands as long as nothing is changed')
  made.now = NO_FEDERATION
  t.equal(made.ask(token), undefined)
})

await t.test('a key that is taken out of the set ends what it signed', async t => {
  const made = await lab(await federationOf(config({}), KEY))
  const token = await idToken(KEY, githubClaims())
  t.match(made.ask(token), SOMEBODY)
  made.now = await federationOf(config({}), await keyNamed('next'))
  t.strictSame(made.ask(token), { ok: false, code: 'token_unknown_key' })
  made.now = await federationOf(config({}), await keyNamed('next'), KEY)
  t.match(made.ask(token), SOMEBODY)
})

await t.test('a token that two providers could have signed is nobody\'s', async t => {
  const twins = [{ ...KUBERNETES, name: 'a' }, { ...KUBERNETES, name: 'b', jwksFile: '/b' }]
  const made = await lab(await federationOf({ providers: twins, rules: [] }, KEY))
  t.strictSame(made.ask(await idToken(KEY, { iss: KUBERNETES.issuer })), { ...NO_RULE, because: 'keys of a and b verify it' })
})

await t.test('so many tokens are remembered, and strangers push none of them out', async t => {
  const { federation, verified } = counted(await federationOf(config({}), KEY))
  const made = await lab(federation, 2)
  const tokens = await Promise.all([1, 2, 3].map(async jti => await idToken(KEY, githubClaims({ jti: String(jti) }))))
  for (const token of tokens) t.match(made.ask(token), SOMEBODY)
  for (let i = 0; i < 2_100; i++) await made.ask(await idToken(KEY, githubClaims({ repository_id: '1', jti: String(i) })))
  const before = verified()
  for (const token of tokens.slice(1)) t.match(made.ask(token), SOMEBODY)
  t.equal(verified(), before)
  t.match(made.ask(tokens[0] as string), SOMEBODY)
  t.equal(verified(), before + 1)
})

await t.test('keys are fetched for a token that none of them signed, once for all who wait with it', async t => {
  const federation = await federationOf(config({}))
  let keys: readonly IssuerKey[] = []
  let fetched = 0
  const answers: (() => void)[] = []
  const remote: RemoteKeys = {
    keys: () => keys,
    refresh () {
      fetched++
      return fetched > 2 ? undefined : new Promise(resolve => { answers.push(resolve) })
    },
    follow () {},
    close () {}
  }
  const made = await lab({ ...federation, providers: federation.providers.map(each => ({ ...each, keys: remote.keys, remote })) })
  const token = await idToken(KEY, githubClaims())
  const waiting = [made.ask(token), made.ask(token)]
  t.ok(waiting[0] instanceof Promise && waiting[0] === waiting[1])
  answers.shift()?.()
  t.strictSame(await waiting[0], { ok: false, code: 'token_unknown_key' })
  const again = made.ask(token)
  keys = [await publicHalf(KEY)]
  answers.shift()?.()
  t.match(await again, SOMEBODY)
  keys = []
  t.strictSame(made.ask(token), { ok: false, code: 'token_unknown_key' }, 'and not again too soon')
})
