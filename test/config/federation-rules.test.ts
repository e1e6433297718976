// A rule that could mean somebody else is refused at the start, by name and with what is missing.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema.ts'
import { FEDERATION_KINDS, KINDS, type FederationKind } from '../../src/identity/federation/kinds.ts'
import { AUDIENCE, GITHUB, GITLAB, KUBERNETES, MATCHES, SUBJECTS } from '../helpers/federation.ts'
import { testFolder, type TestLike } from '../helpers/folder.ts'

type Words = Record<string, unknown>

const GENERIC = { name: 'build', issuer: 'https://id.example.com', kind: 'generic', audience: AUDIENCE }
const PROVIDERS: Record<FederationKind, Words> = { github: { ...GITHUB }, gitlab: { ...GITLAB }, kubernetes: { ...KUBERNETES }, generic: GENERIC }

function ruleOf (kind: FederationKind, match: Words = MATCHES[kind], more: Words = {}): Words {
  return { provider: PROVIDERS[kind]['name'], match, subject: SUBJECTS[kind], repositories: ['team-a/*'], actions: ['pull'], ...more }
}

async function load (t: TestLike, providers: unknown, rules: unknown, more: object = {}): Promise<{ readonly config?: Config, readonly mistakes: string[] }> {
  const file = join(testFolder(t), 'chartgate.yaml')
  await writeFile(file, stringify({ federation: { providers, rules }, ...more }))
  const loaded = await loadConfig(file, {})
  return loaded.ok ? { config: loaded.config, mistakes: [] } : { mistakes: loaded.mistakes.map(line => line.replace(/^.*?yaml:\d+:\d+: /, '')) }
}

async function mistakesOf (t: TestLike, kind: FederationKind, match: Words, more: Words = {}): Promise<string[]> {
  return (await load(t, [PROVIDERS[kind]], [ruleOf(kind, match, more)])).mistakes
}

function without (match: Words, ...claims: readonly string[]): Words {
  return Object.fromEntries(Object.entries(match).filter(([claim]) => !claims.includes(claim)))
}

await t.test('a right rule of every kind is taken, with its values as texts and its times in seconds', async t => {
  for (const kind of FEDERATION_KINDS) t.strictSame(await mistakesOf(t, kind, MATCHES[kind]), [], kind)
  const match = { ...MATCHES.github, repository_id: 74, ref: ['refs/heads/main', 'refs/heads/dev'], ok: true }
  const { config } = await load(t, [{ ...GITHUB, clockSkew: '1m', jwksFile: 'keys.json', exchangeOnce: true }], [ruleOf('github', match, { maxLifetime: '10m', groups: ['publishers'] })])
  t.match(config?.federation.providers, [{ clockSkew: 60, exchangeOnce: true, jwksFile: /^\/.*\/keys.json$/ }])
  t.strictSame(config?.federation.rules, [{
    provider: 'github',
    subject: SUBJECTS.github,
    match: { repository_id: ['74'], repository_owner_id: ['65'], workflow_file: ['release.yml'], ref: ['refs/heads/main', 'refs/heads/dev'], ok: ['true'] },
    groups: ['publishers'],
    repositories: ['team-a/*'],
    actions: ['pull'],
    maxLifetime: 600
  }])
  t.match((await load(t, [GITHUB], [ruleOf('github')])).config?.federation.rules, [{ maxLifetime: 3600, groups: [] }])
})

await t.test('a rule without one of the rows of its kind is refused with that row', async t => {
  for (const kind of FEDERATION_KINDS) {
    for (const { says, oneOf, because } of KINDS[kind].rows) {
      const claims = oneOf.flat().map(pin => pin.split('=')[0] as string)
      const mistakes = await mistakesOf(t, kind, without(MATCHES[kind], ...claims))
      t.match(mistakes, [`federation.rules[0].match: it does not say ${says}: name `], `${kind}: ${says}`)
      t.ok(mistakes[0]?.includes(because))
    }
    t.equal((await mistakesOf(t, kind, {})).length, KINDS[kind].rows.length, `${kind}: all of them at once`)
  }
})

await t.test('every way to say a row is one, whole', async t => {
  for (const kind of FEDERATION_KINDS) {
    for (const { oneOf } of KINDS[kind].rows) {
      const all = oneOf.flat().map(pin => pin.split('=')[0] as string)
      for (const pins of oneOf) {
        const named = Object.fromEntries(pins.map(pin => [pin.split('=')[0], pin.split('=')[1] ?? 'x']))
        t.strictSame(await mistakesOf(t, kind, { ...without(MATCHES[kind], ...all), ...named }), [], `${kind}: ${pins.join()}`)
        for (const pin of pins) {
          const [claim = '', only] = pin.split('=')
          const part = { ...without(MATCHES[kind], ...all), ...without(named, claim) }
          t.equal((await mistakesOf(t, kind, part)).length, 1, `${kind}: without ${claim}`)
          if (only !== undefined) t.equal((await mistakesOf(t, kind, { ...part, [claim]: [only, 'false'] })).length, 1, `${kind}: ${claim} or not`)
        }
      }
    }
  }
})

await t.test('what pins nothing is said to, however much it looks like it', async t => {
  for (const kind of FEDERATION_KINDS) {
    for (const [claim, why] of Object.entries(KINDS[kind].neverPins)) {
      const mistakes = await mistakesOf(t, kind, { [claim]: 'x' })
      t.equal(mistakes.length, KINDS[kind].rows.length, `${kind}: ${claim}`)
      t.ok(mistakes[0]?.endsWith(`; ${claim} does not count: ${why}`), mistakes.join())
    }
  }
  for (const sub of ['repo:octo-org/octo-repo:ref:refs/heads/main', 'repo:octo-org@65/octo-repo@74:ref:refs/heads/main']) t.match(await mistakesOf(t, 'github', { sub }), [/which project.*sub does not count/, /which workflow/, /which ref/])
  t.match(await mistakesOf(t, 'github', { ...without(MATCHES.github, 'repository_id'), repository_owner: 'octo-org' }), [/which project/], 'the owner alone')
  t.match(await mistakesOf(t, 'github', { ...without(MATCHES.github, 'workflow_file'), job_workflow_ref: 'x' }), [/which workflow.*job_workflow_ref does not count/])
  t.match(await mistakesOf(t, 'gitlab', { ...without(MATCHES.gitlab, 'ref_path'), ref: 'main', environment: 'production' }), [/which ref or environment.*a tag can be named as a branch is/])
})

await t.test('a name that every object has is no reason', async t => {
  for (const claim of ['constructor', '__proto__', 'toString']) {
    const match = JSON.parse(`{"${claim}":"x"}`) as Words
    const mistakes = await mistakesOf(t, 'github', match)
    t.strictSame(mistakes, await mistakesOf(t, 'github', { x: 'x' }), claim)
    t.strictSame(await mistakesOf(t, 'github', { ...MATCHES.github, ...match }), [], claim)
  }
})

await t.test('jobs of a platform are none of any issuer, by whatever name it goes', async t => {
  for (const [sub, kind] of [['repo:octo-org/octo-repo:ref:refs/heads/main', 'github'], ['repo:octo-org@65/octo-repo@74:environment:release', 'github'], ['repository_owner:octo-org', 'github'], ['job_workflow_ref:octo-org/x', 'github'], ['project_path:my-group/my-project:ref_type:branch:ref:main', 'gitlab']] as const) {
    t.match(await mistakesOf(t, 'generic', { sub: ['build-7', sub] }), [`federation.rules[0].match.sub: a job of ${kind} is called so, by names that somebody else may have later: provider build is of kind ${kind}`], sub)
  }
  t.strictSame(await mistakesOf(t, 'generic', { sub: 'repo' }), [])
  t.strictSame(await mistakesOf(t, 'kubernetes', { ...MATCHES.kubernetes, sub: 'repo:x' }), [], 'beside what pins it')
})

await t.test('values are compared whole', async t => {
  const of = async (ref: unknown): Promise<string[]> => await mistakesOf(t, 'github', { ...MATCHES.github, ref })
  t.match(await of('refs/tags/*'), [/^federation.rules\[0\].match.ref: values are compared whole/])
  t.match(await of(['refs/heads/main', 'refs/*']), [/values are compared whole/])
  t.match(await mistakesOf(t, 'github', { ...MATCHES.github, repository_id: 2 ** 53 }), [/^federation.rules\[0\].match.repository_id: a number of so many digits is rounded: write it in quotes$/, /which project/])
  for (const wrong of ['', [], [''], [['a']], { a: 1 }, 1.5, null]) t.match(await of(wrong), [/^federation.rules\[0\].match.ref/], JSON.stringify(wrong))
  t.match(await mistakesOf(t, 'github', { ...MATCHES.github, 'a b': 'x' }), [/^federation.rules\[0\].match: a mapping is not a mapping of claims to values$/])
})

await t.test('a rule names its provider and its jobs, and gives something', async t => {
  const of = async (more: Words): Promise<string[]> => await mistakesOf(t, 'github', MATCHES.github, more)
  t.match(await of({ provider: 'githup' }), ['federation.rules[0].provider: "githup" is no provider: did you mean github?'])
  t.match(await of({ provider: 'elsewhere' }), ['federation.rules[0].provider: "elsewhere" is no provider'])
  t.match(await of({ subject: 'user:alice' }), [/^federation.rules\[0\].subject: "user:alice" is not ci:WORD: and a name/])
  t.match(await of({ repositories: undefined }), ['federation.rules[0]: repositories and actions come together: where, and what'])
  t.match(await of({ actions: undefined }), ['federation.rules[0]: repositories and actions come together: where, and what'])
  t.match(await of({ repositories: undefined, actions: undefined }), ['federation.rules[0]: it gives nothing: it needs repositories and actions, or groups'])
  t.strictSame(await of({ repositories: undefined, actions: undefined, groups: ['publishers'] }), [])
  t.match(await of({ groups: ['{repository_owner}'] }), [/groups\[0\]: "{repository_owner}" is not the name of a group/], 'groups are what they say')
  for (const time of ['59s', '25h']) t.match(await of({ maxLifetime: time }), [`federation.rules[0].maxLifetime: "${time}" is not a duration from 1m to 24h`])
})

await t.test('a provider is one whose tokens and keys are nobody else\'s', async t => {
  const of = async (kind: FederationKind, more: Words, config: object = {}): Promise<string[]> => (await load(t, [{ ...PROVIDERS[kind], ...more }], [], config)).mistakes
  const cases: [FederationKind, Words, RegExp][] = [
    ['generic', { issuer: 'http://id.example.com' }, /\.issuer: "http:\/\/id.example.com" is not an https URL/],
    ['generic', { issuer: 'https://id.example.com/?a=1' }, /\.issuer: .* is not an https URL/],
    ['generic', { issuer: 'id.example.com' }, /\.issuer: .* is not an https URL/],
    ['generic', { issuer: GITHUB.issuer }, /\.kind: .* is of kind github: as generic its rules could be vague/],
    ['generic', { issuer: 'https://gitlab.com' }, /\.kind: .* is of kind gitlab/],
    ['generic', { issuer: 'HTTPS://Token.Actions.GitHubUserContent.com/octo-enterprise' }, /\.kind: .* is of kind github/],
    ['gitlab', { issuer: 'https://token.actions.octo.ghe.com' }, /\.kind: .* is of kind github/],
    ['generic', { issuer: 'https://ghes.example.com/_services/token' }, /\.kind: .* is of kind github/],
    ['generic', { exchangeOnce: 'yes' }, /\.exchangeOnce: "yes" is not true or false/],
    ['github', { audience: 'https://github.com/octo-org' }, /\.audience: .* is what the platform gives by itself/],
    ['generic', { audience: GENERIC.issuer }, /\.audience: .* is what the platform gives by itself/],
    ['github', { jwksUrl: 'http://id.example.com/keys' }, /\.jwksUrl: .* is not an https URL/],
    ['github', { jwksUrl: 'https://id.example.com/keys', jwksFile: 'x' }, /\[0\]: it needs one of jwksUrl and jwksFile, or none/],
    ['github', { jwksFile: 'x', ca: 'y' }, /\.ca: with jwksFile nothing is fetched/],
    ['github', { tokenFile: 'x' }, /\.tokenFile: it is sent to jwksUrl alone/],
    ['kubernetes', { jwksFile: undefined }, /\.issuer: .* is what many clusters are called/],
    ['github', { clockSkew: '6m' }, /\.clockSkew: "6m" is more than 5m/],
    ['github', { kind: 'gitea' }, /\.kind: "gitea" is not one of github, gitlab, kubernetes, generic/],
    ['github', { secret: 'x' }, /\.secret: unknown key/]
  ]
  for (const [kind, more, expected] of cases) t.match(await of(kind, more), [expected])
  t.strictSame(await of('github', { jwksUrl: 'http://127.0.0.1:8080/keys', tokenFile: 'token' }), [], 'loopback will do')
  t.match(await of('generic', { issuer: 'https://charts.example.com' }, { publicUrl: 'https://charts.example.com' }), [/\.issuer: it is publicUrl too/])
  t.match(await of('generic', {}, { tokens: { issuer: GENERIC.issuer } }), [/\.issuer: it is tokens.issuer too/])
  t.match(await of('generic', {}, { tokens: { issuers: [{ name: 'cm', publicKey: 'x', issuer: GENERIC.issuer }, { name: 'other', publicKey: 'y' }] } }), [/\.issuer: it is tokens.issuers\[0\] too/])
  t.match(await of('generic', {}, { tokens: 5 }), [/^tokens/], 'what is wrong elsewhere is said once')
})

await t.test('two providers of one issuer are told apart by keys alone', async t => {
  const of = async (...providers: Words[]): Promise<string[]> => (await load(t, providers, [])).mistakes
  t.strictSame(await of({ ...KUBERNETES }, { ...KUBERNETES, name: 'b', jwksFile: '/b.json' }), [])
  t.strictSame(await of({ ...KUBERNETES }, { ...KUBERNETES, name: 'b', jwksFile: undefined, jwksUrl: 'https://b.example/keys' }), [])
  t.match(await of({ ...KUBERNETES }, { ...KUBERNETES, name: 'b' }), [/providers\[1\].issuer: federation.providers\[0\] is called so too/])
  t.match(await of({ ...GITHUB }, { ...GITHUB, name: 'b', jwksFile: '/b.json' }), [/providers\[1\].issuer: federation.providers\[0\] is called so too/])
  t.match(await of({ ...KUBERNETES }, { ...KUBERNETES, name: 'b', jwksFile: '/b.json' }, { ...KUBERNETES, name: 'c', jwksFile: '/b.json' }), [/^federation.providers\[2\].issuer: federation.providers\[1\] is called so too/], 'and not only from the first of them')
  t.match(await of({ ...GITHUB }, { ...GITLAB, name: 'github' }), ['federation.providers[1].name: the name github is there already, at federation.providers[0]'])
})

await t.test('what jobs may do is said by their rules alone', async t => {
  const { mistakes } = await load(t, [], [], { policy: [{ repositories: ['a/b'], subjects: ['ci:github:octo-org/octo-repo'], actions: ['pull'] }] })
  t.match(mistakes, [/^policy\[0\].subjects\[0\]: "ci:github:octo-org\/octo-repo" is not a subject.*federation.rules alone/])
})

await t.test('what is of a wrong form says nothing of the rest', async t => {
  t.match((await load(t, {}, 'x')).mistakes, [/^federation.providers: {} is not a list/, /^federation.rules: "x" is not a list/])
  t.match((await load(t, [{ name: 'x' }], [5])).mistakes, [/^federation.providers\[0\]: without issuer and kind and audience it is not a provider/, /^federation.rules\[0\]: 5 is not a rule/])
})
