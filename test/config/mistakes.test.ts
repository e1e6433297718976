// What a mistake may not do: hide another one, quote a secret, be taken for something
// else, or stop the program.
import { join } from 'node:path'
import t from 'tap'
import type { Environment } from '../../src/config/environment.ts'
import { loadConfig, type ConfigResult } from '../../src/config/load.ts'
import { testFolder, type TestLike } from '../helpers/folder.ts'

async function load (t: TestLike, text: string, env: Environment = {}): Promise<ConfigResult> {
  return await loadConfig(join(testFolder(t, { 'chartgate.yaml': text }), 'chartgate.yaml'), env)
}

async function mistakes (t: TestLike, text: string, env: Environment = {}): Promise<readonly string[]> {
  const result = await load(t, text, env)
  return result.ok ? [] : result.mistakes.map(mistake => mistake.replace(/^\S*chartgate\.yaml:\d+:\d+: (?=(?:\S|"[^"]*")+: )/, ''))
}

await t.test('mistakes of every kind are reported in one go', async t => {
  const places = async (text: string): Promise<string[]> => (await mistakes(t, text, { CHARTGATE_NOPE: '1' })).map(line => line.replace(/^.*chartgate\.yaml:\d+:\d+/, 'line').split(': ')[0] as string).sort()
  t.same(await places(`
lisen: 1
listen: { host: 1, port: 70000 }
admin: { host: 1, port: x }
upstream: { auth: basic, url: "ftp://x" }
charts: { depth: 11, contextPath: x, maxUploadSize: 20MB, spool: 3 }
charts: { depth: 11, contextPath: x, maxUploadSize: 20MB, spool: 3 }
tokens: { ttl: 1s }
allowDemoKey: 1
masterKey: short
log: { level: loud, reads: 1 }
trustedProxies: [nowhere]
`), [
    'CHARTGATE_NOPE', 'admin.host', 'admin.port', 'allowDemoKey', 'charts.contextPath', 'charts.depth', 'charts.maxUploadSize', 'charts.spool', 'line', 'lisen',
    'listen.host', 'listen.port', 'log.level', 'log.reads', 'masterKey', 'tokens.ttl', 'trustedProxies[0]', 'upstream.auth', 'upstream.url'
  ].sort())
  t.same(await places('policy: [{ repositories: ["a*"], subjects: [me] }]'), ['CHARTGATE_NOPE', 'policy[0]', 'policy[0].repositories[0]', 'policy[0].subjects[0]'])
})

await t.test('twenty mistakes of a file are said, and how many more there are', async t => {
  for (const [count, more] of [[20, []], [21, [/chartgate\.yaml: and 1 more$/]], [20_000, [/chartgate\.yaml: and 19980 more$/]]] as const) {
    const found = await mistakes(t, `policy: [${Array(count).fill('1').join()}]`)
    t.match(found, [...Array<RegExp>(20).fill(/^policy\[\d+\]: 1 is not a rule/), ...more])
    t.equal(found.length, 20 + more.length)
  }
  t.match(await mistakes(t, Array.from({ length: 10_000 }, (_, i) => `k${i}: 1\n`).join('')), [...Array<RegExp>(20).fill(/unknown key/), /: and 9980 more$/])
  t.match(await mistakes(t, 'listen: {}\n'.repeat(5_000)), [...Array<RegExp>(20).fill(/Map keys must be unique/), /: and 4979 more$/])
  t.match(await mistakes(t, Array.from({ length: 5_000 }, (_, i) => `k${i}: !t${i} 1\n`).join('')), [...Array<RegExp>(20).fill(/Unresolved tag/), /: and 4980 more$/])
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`CHARTGATE_NOPE_${i}`, 'x']))
  t.match(await loadConfig(undefined, many), { ok: false, mistakes: [...Array<RegExp>(20).fill(/^CHARTGATE_NOPE_\d+: /), /^the configuration: and 10 more$/] })
})

await t.test('a broken or missing file does not hide what is wrong with the environment', async t => {
  t.match(await mistakes(t, 'listen: {', { CHARTGATE_NOPE: '1' }), [/chartgate\.yaml:\d+:\d+: /, /^CHARTGATE_NOPE: /])
  t.match(await loadConfig('/nowhere/chartgate.yaml', { CHARTGATE_NOPE: '1' }), { ok: false, mistakes: [/ENOENT/, /^CHARTGATE_NOPE: /] })
})

await t.test('no mistake quotes what may be a secret', async t => {
  const cases: [string, Environment][] = [
    ['masterKye: hidden', {}],
    ['upstream: { pasword: hidden }', {}],
    ['upstream: [{ password: hidden }]', {}],
    ['upstream: hidden', {}],
    ['policy: { masterKey: hidden }', {}],
    ['masterKey: *hidden', {}],
    ['masterKey: !vault hidden', {}],
    ['masterKey: |hidden\n  x', {}],
    ['masterKey: "\\xhidden"', {}],
    ['masterKey: "hidden', {}],
    ['masterKey: @hidden', {}],
    ['upstream: { url: "http://u:hid/hidden@x/" }', {}],
    ['upstream: { url: "u:hidden@x" }', {}],
    ['publicUrl: "http://x/?token=hidden"', {}],
    ['', { CHARTGATE_MASTER_KEY: 'hidden' }],
    ['', { CHARTGATE_UPSTREAM_PASSWORD: 'hid\nhidden' }],
    ['', { CHARTGATE_MASTERKEY: 'hidden' }],
    ['', { CHARTGATE_MASTER_KEY: 'hidden', CHARTGATE_MASTER_KEY_FILE: '/nowhere' }]
  ]
  for (const [text, env] of cases) {
    const found = await mistakes(t, text, env)
    const name = `${text}${JSON.stringify(env)}: ${found.join(' | ')}`
    t.ok(found.length > 0, name)
    t.notMatch(found.join(), /hidden|xhi/, name)
    t.notMatch(found.join(), '\n', name)
  }
})

await t.test('a key that every object has, or that breaks a line, is an unknown key like any other', async t => {
  for (const name of ['constructor', 'toString', '__proto__', '<<', '5']) t.match(await mistakes(t, `"${name}": 1\nlog: { "${name}": {} }`), [`${name}: unknown key`, `log.${name}: unknown key`], name)
  t.match(await mistakes(t, '"a\\nb": 1'), [/^"a\\nb": unknown key/])
})

await t.test('a name that is nearly right is suggested, one that is not is not', async t => {
  const cases: [string, Environment, RegExp][] = [
    ['listen: { prot: 1 }', {}, /did you mean port\?$/],
    ['stateDirs: x', {}, /did you mean stateDir\?$/],
    ['foo: 1', {}, /known here: listen, admin, /],
    ['', { CHARTGATE_LISTEN_PROT: '1' }, /did you mean CHARTGATE_LISTEN_PORT\?$/],
    ['', { CHARTGATE_SOMETHING: '1' }, /environment variable$/],
    ['', { CHARTGATE_POLICY: '[]' }, /^CHARTGATE_POLICY: policy is a list, which only the file can set$/]
  ]
  for (const [text, env, expected] of cases) t.match(await mistakes(t, text, env), [expected])
})

await t.test('a mistake that comes from the environment names the variable', async t => {
  const dir = testFolder(t, { key: 'short\n' })
  t.match(await loadConfig(undefined, { CHARTGATE_LISTEN_PORT: 'x', CHARTGATE_TOKENS_TTL: '1s', CHARTGATE_MASTER_KEY_FILE: join(dir, 'key') }), {
    ok: false,
    mistakes: [/^listen\.port: "x" .* \(from CHARTGATE_LISTEN_PORT\)$/, /^tokens\.ttl: .* \(from CHARTGATE_TOKENS_TTL\)$/, /^masterKey: .* \(from CHARTGATE_MASTER_KEY_FILE\)$/]
  })
  t.match(await loadConfig(undefined, { CHARTGATE_NOPE: undefined }), { ok: true })
})

await t.test('YAML that is more than a tree is refused, or taken as one', async t => {
  const laughs = ['a: &a [x, x, x, x, x, x, x, x, x]', ...'bcdefgh'.split('').map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[i]}`).join(', ')}]`)].join('\n')
  const cases: [string, RegExp][] = [
    ['policy: &again [*again]', /:1:\d+: an alias that contains itself$/],
    [laughs, /:\d:\d+: aliases that stand for more than 100000 values$/],
    [`a: ${'['.repeat(30)}${']'.repeat(30)}`, /more than 20 levels$/],
    ['a: 1\n---\nb: 1', /:2:\d+: The file is one document/],
    ['masterKey: !vault x', /:1:\d+: Unresolved tag$/],
    ['- a\n- b', /the file is not a mapping/]
  ]
  for (const [text, expected] of cases) t.match(await mistakes(t, text), [expected], text)
  t.match(await load(t, 'listen: &here { host: "::1" }\nadmin: *here'), { ok: true, config: { listen: { host: '::1', port: 5001 }, admin: { host: '::1', port: 5002 } } }, 'two places, two defaults')
  for (const empty of ['', '# nothing\n', 'upstream:\npolicy:\ncharts: { spool: }\n']) t.match(await load(t, empty), { ok: true }, JSON.stringify(empty))
})

await t.test('values are shown in one line and not at length', async t => {
  const cases: [string, RegExp][] = [
    ['listen: { port: [1] }', /^listen\.port: a list is not/],
    ['listen: { port: { a: 1 } }', /^listen\.port: a mapping is not/],
    ['log: { level: "a\\nb" }', /^log\.level: "a\\nb" is not/],
    ['log: { reads: .nan }', /^log\.reads: NaN is not/],
    [`log: { level: "${'a://b@'.repeat(50_000)}?c" }`, /^log\.level: "a:\/\/…@\?…" is not/],
    [`log: { level: "${'://'.repeat(100_000)}" }`, /^log\.level: "(:\/\/){33}:…" is not/],
    ['log: { level: "x?y=z" }', /^log\.level: "x\?y=z" is not/],
    [`log: { level: ${'x'.repeat(500)} }`, /^log\.level: "x{100}…" is not/],
    ['policy: [null]', /^policy\[0\]: null is not a rule/]
  ]
  for (const [text, expected] of cases) t.match(await mistakes(t, text), [expected], text)
})

await t.test('URLs are those that can be taken apart and put together again without a change', async t => {
  const wrong = ['http:x', 'http://', 'http:\\\\x', ' http://x', 'http://x/a/../b', 'http://x/a//b', 'http://x/%61', 'http://x y', 'http://ex\u00E4mple.test', 'http://x:99999', 'http://x/#', 'http://x?', 'http://@x', 'HTTP://x']
  for (const url of wrong) {
    t.match(await loadConfig(undefined, { CHARTGATE_PUBLIC_URL: url }), { ok: false, mistakes: [/^publicUrl: /] }, url)
    t.match(await loadConfig(undefined, { CHARTGATE_UPSTREAM_URL: url }), { ok: false, mistakes: [/^upstream\.url: /] }, url)
  }
  const right: [string, string, string, string][] = [
    ['http://[::1]:5001', 'http://[::1]:5001', '', '[::1]:5001'],
    ['https://charts.example.test/', 'https://charts.example.test', '', 'charts.example.test'],
    ['https://charts.example.test:8443/a/b/', 'https://charts.example.test:8443/a/b', '/a/b', 'charts.example.test:8443']
  ]
  for (const [url, publicUrl, basePath, service] of right) t.match(await loadConfig(undefined, { CHARTGATE_PUBLIC_URL: url }), { ok: true, config: { publicUrl, basePath, tokens: { service, issuer: publicUrl } } })
  t.match(await loadConfig(undefined, { CHARTGATE_TOKENS_SERVICE: 'charts' }), { ok: true, config: { tokens: { service: 'charts' } } }, 'or as it is said')
})

await t.test('what no header or computer can hold is refused', async t => {
  const cases: [Environment, RegExp][] = [
    [{ CHARTGATE_MASTER_KEY: 'a-key-of-sixteen\ncharacters' }, /^masterKey: it contains a line break/],
    [{ CHARTGATE_TOKENS_SERVICE: 'a\r\nb' }, /^tokens\.service: it contains/],
    [{ CHARTGATE_UPSTREAM_USERNAME: 'a:b' }, /^upstream\.username: it contains a colon/],
    [{ CHARTGATE_CHARTS_MAX_UPLOAD_SIZE: '999999999GiB' }, /^charts\.maxUploadSize: "999999999GiB" is not a size/]
  ]
  for (const [env, expected] of cases) t.match(await loadConfig(undefined, env), { ok: false, mistakes: [expected] })
})

await t.test('the demo key listens nowhere but on loopback, on neither listener', async t => {
  const cases: [string, RegExp[]][] = [
    ['listen: { host: 0.0.0.0 }', [/listen\.host is "0\.0\.0\.0"/]],
    ['admin: { host: "::" }', [/admin\.host is "::"/]],
    ['listen: { host: 127.example.test }\nadmin: { host: 10.0.0.1 }', [/listen\.host/, /admin\.host/]]
  ]
  for (const [text, expected] of cases) t.match(await mistakes(t, `masterKey: MASTERKEY\n${text}`), expected, text)
})

await t.test('an audit log that is required needs a file', async t => {
  t.match(await mistakes(t, 'audit: { required: true }'), [/only a file can be had on the disk before a change is made: name one in audit\.file/])
  t.same(await mistakes(t, 'audit: { required: true, file: audit.log }'), [])
})
