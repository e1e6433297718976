import { join } from 'node:path'
import t from 'tap'
import type { Environment } from '../src/config/environment.ts'
import { command as run } from './helpers/commands.ts'
import { testFolder } from './helpers/folder.ts'
import { chartOf } from './helpers/packages.ts'

await t.test('help and version need no configuration', async t => {
  t.match(await run(['--help']), { code: 0, out: /^usage: chartgate/, err: '' })
  t.match(await run(['version']), { code: 0, out: /^chartgate \d+\.\d+\.\d+\n$/ })
})

await t.test('wrong usage is 2, and says in a line what is wrong, and how to see help', async t => {
  const cases: [argv: string[], err: string][] = [
    [[], 'chartgate: no command: say what to do, for example chartgate serve\nSee: chartgate --help\n'],
    [['serve', '--out', 'x', 'now'], 'chartgate: serve takes no --out\nSee: chartgate serve --help\n'],
    [['robot', 'create', 'ci'], 'chartgate: robot create needs --expires with a time such as 90d or 12h, or never; not ""\nSee: chartgate robot create --help\n']
  ]
  for (const [argv, err] of cases) t.match(await run(argv), { code: 2, out: '', err }, argv.join(' '))
})

await t.test('check says that a configuration is right, or every mistake on a line of its own', async t => {
  const dir = testFolder(t, { 'good.yaml': 'upstream: { url: "http://chartmuseum:8080" }', 'bad.yaml': 'lisen: 1\nlog: { reads: maybe }' })
  t.match(await run(['check', '--config', join(dir, 'good.yaml')]), { code: 0, out: /^configuration is valid: .* in front of http:\/\/chartmuseum:8080/ })
  t.match(await run(['check'], { CHARTGATE_CONFIG: join(dir, 'good.yaml'), CHARTGATE_UPSTREAM_URL: '' }), { code: 0, out: /in front of http:\/\/chartmuseum:8080.*; configuration file \S+good\.yaml\n$/ }, 'a variable that is empty is none')
  t.match(await run(['check'], { CHARTGATE_CONFIG: '' }), { code: 0, out: / 0 rules, 0 users, 0 robots; no configuration file: defaults\n$/, err: /^chartgate: warning: nobody has any right: / })
  t.match(await run(['check', '--config', 'config/chartgate.demo.yaml']), { code: 0, out: / 1 rule, 0 users, 0 robots; configuration file \S+chartgate\.demo\.yaml\n$/, err: '' })
  t.match(await run(['check', '--config', join(dir, 'bad.yaml')]), { code: 1, out: '', err: /^chartgate: \S+bad\.yaml:1:1: lisen: .*\nchartgate: \S+bad\.yaml:2:8: log\.reads: .*\n$/ })
})

await t.test('check --charts names the files of the embedded repository that are in no index', async t => {
  const dir = testFolder(t, { 'front.yaml': 'upstream: { url: "http://chartmuseum:8080" }', state: { charts: { org: { a: { 'good-1.0.0.tgz': await chartOf('good', '1.0.0'), 'bad\u2028-1.0.0.tgz': 'x' } } } } })
  const env = { CHARTGATE_CONFIG: '', CHARTGATE_STATE_DIR: join(dir, 'state') }
  t.match(await run(['check', '--charts'], env), { code: 0, out: /\n1 chart, 1 file in no index\n$/, err: /\nchartgate: warning: org\/a\/bad\\u\{2028\}-1\.0\.0\.tgz is in no index: unexpected EOF\n$/ })
  t.match(await run(['check', '--charts', '--config', join(dir, 'front.yaml')]), { code: 1, err: /\nchartgate: only the charts of the embedded repository can be checked\n$/ })
  t.match(await run(['serve', '--charts']), { code: 2, err: 'chartgate: serve takes no --charts\nSee: chartgate serve --help\n' })
})

await t.test('keys and serve say in one line what hinders them', async t => {
  const dir = testFolder(t, { file: '' })
  const env = { CHARTGATE_STATE_DIR: join(dir, 'file', 'x') }
  for (const argv of [['keys', 'list'], ['keys', 'export'], ['serve'], ['serve', '--config', 'config/chartgate.demo.yaml']]) {
    t.match(await run(argv, env), { code: 1, out: '', err: /^chartgate: [^\n]+\n$/ }, argv.join(' '))
  }
})

await t.test('bad input is one clear line each and exit code 1, whatever the command', async t => {
  const dir = testFolder(t, { 'keys.yaml': 'lisen: 1\ncharts: { dept: 2 }', 'types.yaml': 'listen: { port: high }\npolicy: none', 'broken.yaml': 'listen: {', 'list.yaml': '- a' })
  const cases: [string, string, Environment, RegExp][] = [
    ['unknown keys', 'keys.yaml', {}, /^chartgate: \S+:1:1: lisen: unknown key.*\nchartgate: \S+:2:11: charts\.dept: unknown key.*\n$/],
    ['wrong types', 'types.yaml', {}, /^chartgate: \S+:1:11: listen\.port: "high" .*\nchartgate: \S+:2:1: policy: "none" .*\n$/],
    ['broken YAML', 'broken.yaml', {}, /^chartgate: \S+broken\.yaml:\d+:\d+: .*\n$/],
    ['no mapping', 'list.yaml', {}, /^chartgate: \S+list\.yaml: .*\n$/],
    ['no file', 'none.yaml', {}, /^chartgate: \S+none\.yaml: .*\(ENOENT\)\n$/],
    ['a folder as a file', '.', {}, /^chartgate: .*\(EISDIR\)\n$/],
    ['an unreadable secret', '', { CHARTGATE_MASTER_KEY_FILE: join(dir, 'none') }, /^chartgate: CHARTGATE_MASTER_KEY_FILE: the file \S+ cannot be read\n$/],
    ['an unknown variable', '', { CHARTGATE_LISTEN_PROT: '1' }, /^chartgate: CHARTGATE_LISTEN_PROT: .*\n$/],
    ['the demo key for everybody', '', { CHARTGATE_MASTER_KEY: 'MASTERKEY', CHARTGATE_LISTEN_HOST: '0.0.0.0' }, /^chartgate: masterKey: .* \(from CHARTGATE_MASTER_KEY\)\n$/]
  ]
  for (const [name, file, env, err] of cases) {
    for (const command of [['check'], ['serve'], ['keys', 'list'], ['keys', 'export']]) {
      t.match(await run([...command, ...(file === '' ? [] : ['--config', join(dir, file)])], env), { code: 1, out: '', err }, `${name}: ${command.join(' ')}`)
    }
  }
})
