// `chartgate federation explain`: which rule takes a job, and why the others do not.
import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { momentText, textOf } from '../../src/tokens/in-words.ts'
import { loadConfig } from '../../src/config/load.ts'
import { openLiveFederation } from '../../src/live/live-federation.ts'
import { openKeys } from '../../src/live/live-keys.ts'
import { issueToken } from '../../src/tokens/issue.ts'
import { command, type CommandResult } from '../helpers/commands.ts'
import { otherBlocks } from '../helpers/documents.ts'
import { GITHUB, githubClaims, idToken, keySet, KUBERNETES, MATCHES, startIssuer, SUBJECTS } from '../helpers/federation.ts'
import { testFolder, type TestLike } from '../helpers/folder.ts'
import { keyNamed } from '../helpers/keys.ts'
import { ROOT } from '../helpers/processes.ts'
import { recordToken } from '../helpers/secrets.ts'

const KEY = await keyNamed('platform')
const NOW = Math.floor(Date.now() / 1000)
const RIGHTS = { repositories: ['team-a/*'], actions: ['pull', 'push'] }

interface Lab {
  readonly dir: string
  explain (token: string, ...argv: readonly string[]): Promise<CommandResult>
  rights (...argv: readonly string[]): Promise<CommandResult>
}

function lab (t: TestLike, providers: readonly object[] = [{ ...GITHUB, jwksFile: 'keys.json' }], match: object = MATCHES.github): Lab {
  const dir = testFolder(t, { 'keys.json': keySet(KEY) })
  const config = join(dir, 'chartgate.yaml')
  const rules = [
    { provider: 'github', match: { ...match, ref: 'refs/heads/dev' }, subject: SUBJECTS.github, ...RIGHTS },
    { provider: 'github', match, subject: SUBJECTS.github, ...RIGHTS }
  ]
  writeFileSync(config, stringify({ stateDir: join(dir, 'state'), federation: { providers, rules } }))
  return {
    dir,
    explain: async (token, ...argv) => await command(['federation', 'explain', '--config', config, ...argv], {}, token),
    rights: async (...argv) => await command(['explain', '--config', config, ...argv])
  }
}

async function job (more: Record<string, unknown> = {}, key = KEY): Promise<string> {
  return await idToken(key, githubClaims(more, NOW))
}

await t.test('it says who the job is, which rule takes it and why another does not, and never the token', async t => {
  const { explain, dir } = lab(t)
  const token = await job()
  const said = await explain(`${token}\n`)
  t.match(said, { code: 0, err: '' })
  t.strictSame(said.out.split('\n').map(line => line.replace(/\d{4}-\S+Z/g, 'TIME')), [
    'the token is of "https://token.actions.githubusercontent.com" for "https://charts.example.test"; sub "repo:octo-org/octo-repo:ref:refs/heads/main"; issued TIME, ends TIME',
    'provider github: one of its keys has signed it',
    '  federation.rules[0] does not: ref is "refs/heads/main", and has to be "refs/heads/dev"',
    '  federation.rules[1] takes it, as ci:github:octo-org/octo-repo',
    'allowed: ci:github:octo-org/octo-repo by federation.rules[1], until TIME',
    ''
  ])
  for (const part of token.split('.')) t.notOk(said.out.includes(part))
  writeFileSync(join(dir, 'token'), token)
  t.equal((await explain('', '--token-file', join(dir, 'token'))).out, said.out)
  const json = await explain(token, '--json')
  t.match(JSON.parse(json.out), {
    allowed: true,
    subject: 'ci:github:octo-org/octo-repo',
    ids: { repository_id: '74' },
    reason: null,
    providers: [{ name: 'github', signed: 'yes', fault: null, rules: [{ rule: 'federation.rules[0]', takes: false, because: /^ref is/ }, { rule: 'federation.rules[1]', takes: true, because: null }] }]
  })
  t.notOk(json.out.includes(token.split('.')[2] as string))
})

await t.test('docs/ci.md shows what it says of a job on another branch', async t => {
  const blocks = otherBlocks(await readFile(join(ROOT, 'docs/ci.md'), 'utf8')).map(({ text }) => text)
  const { federation } = parse(blocks.find(text => text.startsWith('federation:')) as string) as { federation: { providers: object[], rules: object[] } }
  const dir = testFolder(t, { 'keys.json': keySet(KEY) })
  const config = join(dir, 'chartgate.yaml')
  writeFileSync(config, stringify({ federation: { ...federation, providers: federation.providers.map(each => ({ ...each, jwksFile: 'keys.json' })) } }))
  const ref = 'refs/heads/dev'
  const token = await job({ aud: 'https://charts.example.com', sub: `repo:octo-org/octo-repo:ref:${ref}`, ref, workflow_ref: `octo-org/octo-repo/.github/workflows/release.yml@${ref}` })
  const timeless = (text = ''): string => text.replace(/\d{4}-\S+Z/g, 'TIME').trim()
  const { out, code } = await command(['federation', 'explain', '--config', config], {}, token)
  t.strictSame([timeless(out), code], [timeless(blocks.find(text => text.startsWith('the token is of'))), 3])
})

await t.test('one that counts once is said to', async t => {
  t.match(await lab(t, [{ ...GITHUB, jwksFile: 'keys.json', exchangeOnce: true }]).explain(await job()), { code: 0, out: /\nallowed: ci:github:octo-org\/octo-repo by federation.rules\[1\], until \S+Z, at \/oauth\/token alone, once \(exchangeOnce\)\n$/ })
})

await t.test('it says what is wrong with the token, whichever rule there is', async t => {
  const { explain } = lab(t)
  const cases: [string, RegExp][] = [
    [await job({ repository_id: '75' }), /rules\[1\] does not: repository_id is "75".*\ndenied: federation_no_rule: /s],
    [await job({ exp: NOW - 100 }), /provider github: one of its keys has signed it; token_expired: the token has ended\n {2}federation.*takes it.*denied: token_expired/s],
    [await job({ aud: 'x', exp: 'never' }), /ends at no time that can be read.*token_wrong_claims: .*audience is to be "https:\/\/charts.example.test" alone\)/s],
    [await job({}, await keyNamed('stranger')), /provider github: none of its keys has signed it.*denied: token_unknown_key/s],
    [await job({ iss: `${GITHUB.issuer}/` }), /no provider of federation has this issuer, to the letter: one has "https:\/\/token.actions.githubusercontent.com"\ndenied: token_unknown_key/],
    [await job({ iss: 'https://elsewhere.example' }), /no provider of federation has this issuer\ndenied/],
    [await job({ iss: undefined, sub: '\u001b[2J' }), /of \(nothing\) .*sub "\\u001b\[2J".*no provider of federation/s]
  ]
  for (const [token, expected] of cases) t.match(await explain(token), { code: 3, out: expected })
  t.match(JSON.parse((await explain(await job({ exp: NOW - 100 }), '--json')).out), { allowed: false, subject: null, ids: null, reason: 'token_expired', providers: [{ fault: 'token_expired' }] })
  t.match(await explain('secret'), { code: 1, out: '', err: 'chartgate: that is no token: it has three parts with dots between them\n' })
  t.match(await explain('', '--token-file', '/nowhere'), { code: 1, err: /cannot be read/ })
})

await t.test('keys of a URL are fetched for it, and are missed where they are not to be had', async t => {
  const issuer = await startIssuer(t, KEY)
  const { explain } = lab(t, [{ ...GITHUB, issuer: issuer.issuer }])
  const token = await job({ iss: issuer.issuer })
  t.match(await explain(token), { code: 0 })
  issuer.documents.clear()
  t.match(await explain(token), { code: 3, out: /its keys are not to be had now, and so nobody knows who signed it/ })
})

await t.test('a key set that cannot be read, twins and a provider without a rule are said', async t => {
  t.match(await lab(t, [{ ...GITHUB, jwksFile: 'gone.json' }]).explain(await job()), { code: 1, err: /^chartgate: federation.providers\[0\]: .*gone.json cannot be read/ })
  const twins = lab(t, [{ ...GITHUB, jwksFile: 'keys.json' }, { ...GITHUB, name: 'twin', jwksFile: './/keys.json' }])
  t.match(await twins.explain(await job()), { code: 3, out: /provider twin: one of its keys has signed it\n {2}no rule names it\ndenied: federation_no_rule/ })
  t.match(await lab(t, [{ ...GITHUB, jwksFile: 'keys.json' }, { ...KUBERNETES, jwksFile: 'keys.json' }]).explain(await job()), { code: 0 })
})

await t.test('explain knows the rights of a job by its token', async t => {
  const { dir, rights } = lab(t)
  const file = join(dir, 'token')
  writeFileSync(file, await job())
  t.match(await command(['keys', 'export', '--config', join(dir, 'chartgate.yaml')]), { code: 0 })
  t.match(await rights('--token-file', file, 'push', 'team-a/web'), { code: 0, out: 'allowed: ci:github:octo-org/octo-repo may push on team-a/web by federation.rules[1]\n' })
  t.match(await rights('--token-file', file, 'delete', 'team-a/web'), { code: 3, out: /has no right to delete/ })
  t.match(await rights('--token-file', file), { code: 0, out: /team-a\/\* +pull push +federation.rules\[1\]\n/ })
  writeFileSync(file, await job({ repository_id: '75' }))
  t.match(await rights('--token-file', file), { code: 3, out: /the token is refused: federation_no_rule \(chartgate federation explain says of each rule why\)/ })
})

await t.test('a token that was exchanged says what it grants, as long as the rule is the same', async t => {
  const { dir, rights } = lab(t)
  const keys = await openKeys({ stateDir: join(dir, 'state'), tokens: { ttl: 300, keys: [], issuers: [] } })
  const loaded = await loadConfig(join(dir, 'chartgate.yaml'), {})
  if (!keys.ok || !loaded.ok) throw new Error('they are right')
  const opened = await openLiveFederation(loaded.config)
  if (!opened.ok) throw new Error(opened.mistakes.join())
  const [id = ''] = opened.opened.live.current.rules.keys()
  const issue = async (rule: string): Promise<string> => {
    const source = { issuer: 'http://localhost:5001', audience: 'localhost:5001', ttl: 300 }
    const grants = [{ type: 'artifact-repository', name: 'team-a/web', actions: ['push'] } as const]
    return recordToken((await issueToken(keys.opened.live.current.ring.signing(0), source, 'ci:github:octo-org/octo-repo', grants, NOW, { rule, ids: {} })).token)
  }
  t.match(await rights('--token', await issue(id), 'push', 'team-a/web'), { code: 0, out: /^allowed: ci:github:octo-org\/octo-repo may push on team-a\/web by the token/ })
  t.match(await rights('--token', await issue('another'), 'push', 'team-a/web'), { code: 3, out: /token_unknown_subject, because the rule of federation that took ci:github:octo-org\/octo-repo is another one now, or gone\n$/ })
})

await t.test('a key set that is not there is a mistake of every command, and one without keys a warning', async t => {
  const { dir, rights } = lab(t, [{ ...GITHUB, jwksFile: 'gone.json' }])
  const config = join(dir, 'chartgate.yaml')
  t.match(await command(['check', '--config', config]), { code: 1, err: /^chartgate: federation.providers\[0\]: .*gone.json cannot be read \(ENOENT\)\n$/ })
  await command(['keys', 'export', '--config', config])
  t.match(await rights('--token', await job(), 'push', 'team-a/web'), { code: 1, err: /gone.json cannot be read/ })
  const issuer = await startIssuer(t)
  const empty = lab(t, [{ ...GITHUB, issuer: issuer.issuer }])
  t.match(await command(['check', '--config', join(empty.dir, 'chartgate.yaml')]), { code: 0, out: /depth 2, 0 rules and [12] rules? of federation, 0 users, /, err: `chartgate: warning: federation.providers[0]: no key that verifies is to be had of github now, at "${issuer.issuer}"\n` })
})

await t.test('claims stand in quotes, bounded, and times are times', t => {
  t.strictSame([textOf('a'), textOf(['a', 5]), textOf({ a: '\u202e' }), textOf(undefined)], ['"a"', '"a", 5', '{"a":"\\u{202e}"}', '(nothing)'])
  t.equal(textOf('x'.repeat(1_000)).length, 200)
  t.strictSame([momentText(0), momentText(1e300), momentText('1')], ['1970-01-01T00:00:00Z', 'at no time that can be read', 'at no time that can be read'])
  t.end()
})
