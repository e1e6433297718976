// init writes what check takes, asks for what it cannot know, and writes over nothing.
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { configurationText } from '../../src/commands/init-text.ts'
import type { Answers } from '../../src/commands/init-questions.ts'
import { command, type CommandResult } from '../helpers/commands.ts'
import { testFolder } from '../helpers/folder.ts'
import { freePorts } from '../helpers/processes.ts'
import { newPassword } from '../helpers/secrets.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'

const PUBLIC = ['--public-url', 'https://charts.example.com']
const NOT_FOUND = { status: 404, body: '{"error":"object not found"}' }

/** Every answer of each situation, as options. */
const SITUATIONS: readonly (readonly [name: string, options: readonly string[]])[] = [
  ['embedded', []],
  ['basic', ['--upstream-url', 'http://127.0.0.1:1', '--upstream-username', 'curator', '--depth', '1']],
  ['bearer', ['--upstream-url', 'http://127.0.0.1:1', '--depth', 'dynamic', '--context-path', '/charts']]
]

async function init (dir: string, argv: readonly string[], env: Record<string, string> = {}, answers?: Iterable<string>): Promise<CommandResult> {
  return await command(['init', ...argv, join(dir, 'chartgate.yaml')], env, '', answers)
}

await t.test('in each situation the file is what check takes, also with all that is there for later', async t => {
  for (const [situation, options] of SITUATIONS) {
    const dir = testFolder(t)
    const env = { CHARTGATE_UPSTREAM_PASSWORD: newPassword() }
    const { code, out } = await init(dir, ['--situation', situation, ...PUBLIC, ...options], env)
    t.equal(code, 0, situation)
    t.match(out, `${dir}/chartgate.yaml is written, and ${dir}/accounts.yaml with nobody in it\nconfiguration is valid: https://charts.example.com on 127.0.0.1:5001 in front of `)
    t.match(out, `; configuration file ${dir}/chartgate.yaml\nwhat comes next:\n`)
    t.strictSame([statSync(join(dir, 'chartgate.yaml')).mode & 0o777, readdirSync(dir).sort()], [0o600, ['accounts.yaml', 'chartgate.yaml']])
    const text = readFileSync(join(dir, 'chartgate.yaml'), 'utf8')
    t.match(text, /^#(?! \S)/m, 'there is something for later')
    writeFileSync(join(dir, 'chartgate.yaml'), text.replaceAll(/^#(?! \S)/gm, ''))
    t.strictSame(await loadConfig(join(dir, 'chartgate.yaml'), env).then(read => read.ok || read.mistakes), true, situation)
    t.ok(text.split('\n').every(line => line.length <= 120), 'no line is long')
  }
})

await t.test('what is written is what was said', async t => {
  const dir = testFolder(t)
  await init(dir, ['--situation', 'basic', '--public-url', 'http://localhost:6001/helm', '--upstream-url', 'http://cm:8080', '--upstream-username', '1234', '--depth', '0', '--context-path', '/cm', '--state-dir', '/var/lib/a b'])
  const read = await loadConfig(join(dir, 'chartgate.yaml'), { CHARTGATE_UPSTREAM_PASSWORD: 'x' })
  t.match(read, {
    ok: true,
    config: {
      publicUrl: 'http://localhost:6001/helm',
      listen: { host: '127.0.0.1', port: 6001 },
      stateDir: '/var/lib/a b',
      upstream: { url: 'http://cm:8080', auth: 'basic', username: '1234' },
      charts: { depth: 0, contextPath: '/cm' },
      accounts: { files: [join(dir, 'accounts.yaml')] },
      policy: [{ repositories: ['**'], subjects: ['group:admins'] }]
    }
  })
  const port = (url: string): string | undefined => /listen:\n.*\n +port: (\d+)/.exec(configurationText({ situation: 'embedded', 'public-url': url, depth: '2', 'state-dir': 'd' } as Answers))?.[1]
  t.strictSame(['http://[::1]:7000', 'http://localhost', 'https://localhost:7000', 'http://charts:7000'].map(port), ['7000', '5001', '5001', '5001'])
})

await t.test('what no option says is asked at a terminal, until the answer can be used', async t => {
  const dir = testFolder(t)
  const { code, err, prompts } = await init(dir, ['--upstream-url', 'http://127.0.0.1:1'], {}, ['both', 'bearer', '', 'charts.example.com', 'https://charts.example.com', 'deep', '1', '', ' ./state '])
  t.equal(code, 0)
  t.match(err, [
    'chartgate: "both" is not one of embedded, basic, bearer',
    'chartgate: that has to be said',
    'chartgate: "charts.example.com" is not an http or https URL without user, query and fragment',
    'chartgate: "deep" is not a whole number from 0 to 10, or dynamic\n'
  ].join('\n'))
  t.strictSame(prompts?.map(prompt => prompt.slice(0, 20)), ['Where are the charts', 'Where are the charts', 'The URL that clients', 'The URL that clients', 'The URL that clients', 'How many path segmen', 'How many path segmen', 'The path that ChartM', 'The folder for what '])
  t.match(prompts?.at(-1), /\[\.\/data\]: $/)
  t.match(readFileSync(join(dir, 'chartgate.yaml'), 'utf8'), /\nstateDir: \.\/state\n[^]*\n {2}auth: bearer\n[^]*\n {2}depth: 1\n {2}contextPath: ""\n/)
})

await t.test('who goes away while they are asked has no file', async t => {
  const dir = testFolder(t)
  t.match(await init(dir, [], {}, ['embedded']), { code: 1, out: '', err: `chartgate: nothing was typed, and ${dir}/chartgate.yaml is not written\n` })
  t.strictSame(readdirSync(dir), [])
})

await t.test('without a terminal each option that is missing, wrong or without sense is named', async t => {
  const dir = testFolder(t)
  const cases: [argv: string[], err: RegExp][] = [
    [[], /^chartgate: init needs --situation where nobody can be asked: Where are .*\nchartgate: init needs --public-url where .*\nSee: chartgate init --help\n$/],
    [['--situation', 'basic', ...PUBLIC], /^chartgate: init needs --upstream-url .*\nchartgate: init needs --upstream-username .*\nchartgate: init needs --depth .*\nSee: /],
    [['--situation', 'other', '--public-url', 'x'], /^chartgate: --situation: "other" is not one of .*\nchartgate: --public-url: "x" is not an http .*\nSee: /],
    [['--situation', 'embedded', ...PUBLIC, '--upstream-url', 'http://cm'], /^chartgate: --upstream-url has no sense with embedded\nSee: /]
  ]
  for (const [argv, err] of cases) t.match(await init(dir, argv), { code: 2, out: '', err }, argv.join(' '))
  t.match(await init(dir, ['--depth', '11'], {}, ['embedded']), { code: 2, err: /^chartgate: --depth: 11 is not a whole number from 0 to 10, or dynamic\nSee: /, prompts: undefined }, 'nor is anybody asked then')
  t.match(await init(dir, ['--context-path', '/x'], {}, ['embedded']), { code: 2, err: /^chartgate: --context-path has no sense with embedded\n/ })
  t.strictSame(readdirSync(dir), [])
})

await t.test('no file is written over, and an accounts file that is there is used', async t => {
  const dir = testFolder(t, { 'chartgate.yaml': 'mine', other: { 'accounts.yaml': '# ours\n' } })
  t.match(await init(dir, [], {}, []), { code: 1, out: '', err: `chartgate: ${dir}/chartgate.yaml is there already, and is not written over: name another one\n` })
  t.equal(readFileSync(join(dir, 'chartgate.yaml'), 'utf8'), 'mine')
  const argv = ['--situation', 'embedded', ...PUBLIC]
  t.match(await init(join(dir, 'other'), argv), { code: 0, out: /, and \S+accounts\.yaml was there\n/ })
  t.equal(readFileSync(join(dir, 'other/accounts.yaml'), 'utf8'), '# ours\n')
  t.match(await init(join(dir, 'missing'), argv), { code: 1, out: '', err: /chartgate\.yaml cannot be written: ENOENT/ })
})

await t.test('a file that comes while somebody is asked is not written over either', async t => {
  const dir = testFolder(t)
  function * answers (): Generator<string> {
    yield * ['embedded', 'https://charts.example.com', '2']
    writeFileSync(join(dir, 'chartgate.yaml'), 'theirs')
    yield './data'
  }
  t.match(await init(dir, [], {}, answers()), { code: 1, out: '', err: `chartgate: ${dir}/chartgate.yaml is there already, and is not written over: name another one\n` })
  t.strictSame([readFileSync(join(dir, 'chartgate.yaml'), 'utf8'), readdirSync(dir)], ['theirs', ['chartgate.yaml']])
})

await t.test('a first user can do everything', async t => {
  const dir = testFolder(t)
  const { err } = await init(dir, ['--situation', 'embedded', ...PUBLIC])
  t.match(err, /warning: \S+chartgate\.yaml:\d+: policy\[0\]: the subject group:admins is in no accounts file\n.*warning: nobody has any right/)
  const config = ['--config', join(dir, 'chartgate.yaml')]
  t.match(await command(['user', 'add', 'alice', '--groups', 'admins', ...config], {}, newPassword()), { code: 0 })
  t.match(readFileSync(join(dir, 'accounts.yaml'), 'utf8'), /^# Who there is\.[^]*\nusers:\n/)
  t.match(await command(['check', ...config]), { code: 0, err: '' })
  t.match(await command(['explain', '--as', 'alice', 'delete', 'team-a/web', ...config]), { code: 0 })
})

await t.test('a ChartMuseum that is not there yet is a warning, and one that is run otherwise a failure', async t => {
  const stub = await startStubUpstream(t)
  const [nobody] = await freePorts(1)
  const password = { CHARTGATE_UPSTREAM_PASSWORD: newPassword() }
  const there = ['--upstream-url', stub.origin]
  const gone = ['--upstream-url', `http://127.0.0.1:${nobody}`]
  const basic = ['--situation', 'basic', ...PUBLIC, '--upstream-username', 'u', '--depth', '2']
  const bearer = ['--situation', 'bearer', ...PUBLIC, '--depth', '2']
  const elsewhere = ({ target }: { target: string }): object => target === '/health' ? { body: '{"healthy":true}' } : { status: 404, body: '{"error":"not found"}' }
  const refuses = (): object => ({ status: 401, headers: { 'www-authenticate': 'Bearer realm="x"' } })
  const cases: [name: string, argv: string[], env: Record<string, string>, answer: typeof stub.answer, code: number, out: RegExp, err: RegExp][] = [
    ['basic', [...basic, ...there], password, () => NOT_FOUND, 0, /answers as it is configured/, /^(?!.*the chart repository)/],
    ['not there', [...basic, ...gone], password, () => NOT_FOUND, 0, /what comes next/, /warning: the chart repository cannot be reached \(ECONNREFUSED\)/],
    ['no password yet', [...basic, ...there], {}, () => { throw new Error('it was asked') }, 0, /configuration is valid/, /warning: neither CHARTGATE_UPSTREAM_PASSWORD_FILE nor CHARTGATE_UPSTREAM_PASSWORD is set, and so ChartMuseum was not asked\n/],
    ['a wrong password', [...basic, ...there], password, () => ({ status: 401 }), 1, /what comes next/, /chartgate: the chart repository does not accept the gateway \(401\): are upstream\.username/],
    ['another depth', [...bearer, ...there], {}, elsewhere, 1, /what comes next/, /\nchartgate: the chart repository is run not as charts\.depth says/],
    ['bearer without the key', [...bearer, ...there], {}, refuses, 0, /chartgate keys export --out \S+chartgate-upstream\.pub\.pem --config \S+\n/, /warning: the chart repository does not accept the gateway \(401\): does it run with the key of `keys export`/]
  ]
  for (const [name, argv, env, answer, code, out, err] of cases) {
    stub.answer = answer
    const dir = testFolder(t)
    t.match(await init(dir, argv, env), { code, out, err }, name)
    t.strictSame(readdirSync(dir).sort(), ['accounts.yaml', 'chartgate.yaml'], `${name}: and no key was made`)
  }
})

await t.test('what comes next can be pasted', async t => {
  const dir = join(testFolder(t), "it's here")
  mkdirSync(dir)
  const { out } = await init(dir, ['--situation', 'bearer', '--public-url', 'https://a.example/helm/', '--upstream-url', 'http://127.0.0.1:1', '--depth', '1'])
  const quoted = `'${dir.replace("'", "'\\''")}/chartgate.yaml'`
  t.match(out, `\n    chartgate serve --config ${quoted}\n`)
  t.match(out, '--auth-realm https://a.example/helm/oauth/token --auth-service a.example --auth-cert-path \'')
  const before = process.cwd()
  t.teardown(() => { process.chdir(before) })
  process.chdir(testFolder(t))
  t.match(await command(['init', '--situation', 'embedded', ...PUBLIC]), { code: 0, out: /\n {4}chartgate serve\n$/ })
})
