import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Environment } from '../../src/config/environment.ts'
import { loadConfig, type ConfigResult } from '../../src/config/load.ts'
import { leaves } from '../../src/files/nodes.ts'
import { ConfigSchema, variableOf, type Config } from '../../src/config/schema.ts'
import { readDuration, readSize } from '../../src/files/units.ts'
import { testFolder, type TestLike } from '../helpers/folder.ts'

async function load (t: TestLike, text: string, env: Environment = {}): Promise<{ result: ConfigResult, dir: string }> {
  const dir = testFolder(t, { 'chartgate.yaml': text, secret: 'a-secret-of-sixteen-characters\n' })
  const variables = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value?.replace('DIR', dir)]))
  return { result: await loadConfig(join(dir, 'chartgate.yaml'), variables), dir }
}

async function config (t: TestLike, text: string, env: Environment = {}): Promise<Config> {
  const { result } = await load(t, text, env)
  if (!result.ok) throw new Error(result.mistakes.join('\n'))
  return result.config
}

async function mistakes (t: TestLike, text: string, env: Environment = {}): Promise<string[]> {
  const { result, dir } = await load(t, text, env)
  return result.ok ? [] : result.mistakes.map(mistake => withoutPlace(mistake.replaceAll(dir, '.')))
}

/** Where the key of a mistake stands is asked in places.test.ts. */
function withoutPlace (mistake: string): string {
  return mistake.replace(/^\S*chartgate\.yaml:\d+:\d+: (?=\S+: )/, '')
}

await t.test('Redis is named by a URL, what is asked of it with, and all that cannot be is said', async t => {
  t.equal((await config(t, '{}')).redis, undefined)
  t.same((await config(t, 'redis: { url: "redis://cache" }')).redis, { host: 'cache', port: 6379, database: 0 })
  const { redis } = await config(t, 'redis: { url: "rediss://[::1]:7000/3", username: me, tls: { ca: ca.pem } }', { CHARTGATE_REDIS_PASSWORD_FILE: 'secret' })
  t.match(redis, { host: '::1', port: 7000, database: 3, username: 'me', password: 'a-secret-of-sixteen-characters', tls: { ca: /^\/.*ca\.pem$/ } })
  t.match(await mistakes(t, 'redis: { url: "http://cache" }'), [/^redis\.url: "http:\/\/cache" is not a redis or rediss URL/])
  t.match(await mistakes(t, 'redis: { url: "redis://me:secret@cache" }'), [/^redis\.url: /])
  t.match(await mistakes(t, 'redis: { url: "redis://cache:99999" }'), [/^redis\.url: /])
  t.same((await config(t, 'redis: { url: "redis://a,b:7,[::1]/2", sentinel: mymaster }')).redis, { host: 'a', port: 26379, database: 2, sentinel: { master: 'mymaster', places: [{ host: 'a', port: 26379 }, { host: 'b', port: 7 }, { host: '::1', port: 26379 }] } })
  t.match(await mistakes(t, 'redis: { url: "redis://a,b" }'), [/^redis\.url: it names several hosts, as only Sentinels are: redis\.sentinel is the name of their master/])
  t.match(await mistakes(t, 'redis: { url: "redis://a", sentinel: "a b" }'), [/^redis\.sentinel: /])
  t.match(await mistakes(t, 'redis: { sentinel: mymaster }'), [/^redis: it says how Redis is spoken to/])
  t.match(await mistakes(t, 'redis: { password: a }'), [/^redis: it says how Redis is spoken to, and redis\.url does not say where it is/])
  t.match(await mistakes(t, 'redis: { url: "redis://cache", username: me }'), [/^redis\.username: it needs redis\.password/])
  t.match(await mistakes(t, 'redis: { url: "redis://cache", tls: { ca: a } }'), [/^redis\.tls: it is for a Redis behind TLS/])
  t.match(await mistakes(t, 'redis: { url: "rediss://cache", tls: { cert: a } }'), [/^redis\.tls\.key: redis\.tls\.cert and redis\.tls\.key are used together/])
  t.match(await mistakes(t, '{ redis: { url: "redis://cache" }, charts: { index: { maxAge: 11s } } }'), [/^charts\.index\.maxAge: "11s" is more than 10s/])
})

await t.test('everything has a default', async t => {
  const result = await loadConfig(undefined, {})
  if (!result.ok) throw new Error(result.mistakes.join())
  const { written, secretFiles, isBlank, ...config } = result.config
  t.strictSame([written['listen.port'], secretFiles, isBlank], [5001, [], true])
  t.same(config, {
    listen: { host: '127.0.0.1', port: 5001, maxConnections: 8_192, maxConnectionsPerAddress: 2_048 },
    admin: { host: '127.0.0.1', port: 5002 },
    publicUrl: 'http://localhost:5001',
    basePath: '',
    trustedProxies: [],
    workers: 1,
    drain: { delay: 0 },
    stateDir: join(process.cwd(), 'data'),
    upstream: { url: undefined, further: [], auth: 'bearer', username: '', password: '' },
    charts: { depth: 2, contextPath: '', allowOverwrite: false, maxUploadSize: 20 * 1024 ** 2, chartPostFormFieldName: 'chart', provPostFormFieldName: 'prov', spool: { maxBytes: 1024 ** 3 }, index: { maxAge: 0, maxBytes: 256 * 1024 ** 2 } },
    oci: { enabled: true, attachments: { perChart: 1_000, maxBytes: 256 * 1024 * 1024 } },
    tokens: { ttl: 300, issuer: 'http://localhost:5001', service: 'localhost:5001', keys: [], issuers: [] },
    limits: { logins: { perAccount: 10, perAddress: 100, within: 300 } },
    masterKey: '',
    allowDemoKey: false,
    log: { level: 'info', reads: false },
    audit: { reads: false, required: false },
    metrics: { tenants: false },
    accounts: { files: [] },
    identity: { certificates: [] },
    federation: { providers: [], rules: [] },
    policy: []
  })
})

await t.test('a file says the rest, and the environment wins', async t => {
  const values = await config(t, [
    'listen: { port: 6000 }', 'publicUrl: https://charts.example.test/helm/', 'stateDir: state', 'upstream: { url: "http://chartmuseum:8080/" }',
    'charts: { depth: dynamic, contextPath: /ctx, maxUploadSize: 5KiB }', 'tokens: { ttl: 1h, issuer: me, service: us }', 'trustedProxies: [10.0.0.0/8, "::1"]',
    'policy:', '  - { repositories: ["public/*", "**"], subjects: [anonymous], actions: [pull, push] }'
  ].join('\n'), {
    CHARTGATE_LISTEN_PORT: '7000',
    CHARTGATE_CHARTS_MAX_UPLOAD_SIZE: '7B',
    CHARTGATE_LOG_READS: 'true',
    CHARTGATE_CHARTS_DEPTH: '3',
    CHARTGATE_MASTER_KEY_FILE: 'DIR/secret',
    CHARTGATE_SERVICE_HOST: '10.1.1.1',
    CHARTGATE_PORT: 'tcp://10.1.1.1:80',
    CHARTGATE_PORT_80_TCP: 'tcp://10.1.1.1:80',
    PATH: 'x',
    CHARTGATE_CONFIG: 'x'
  })
  t.match(values, {
    listen: { host: '127.0.0.1', port: 7000 },
    publicUrl: 'https://charts.example.test/helm',
    basePath: '/helm',
    stateDir: /state$/,
    upstream: { url: 'http://chartmuseum:8080' },
    charts: { depth: 3, contextPath: '/ctx', maxUploadSize: 7 },
    tokens: { ttl: 3600, issuer: 'me', service: 'us' },
    masterKey: 'a-secret-of-sixteen-characters',
    log: { reads: true },
    policy: [{ repositories: ['public/*', '**'] }]
  })
})

await t.test('keys and issuers are those of files beside the configuration', async t => {
  const { result, dir } = await load(t, [
    'tokens:', '  keys:', '    - { file: new.pem, alg: ES256, state: active }', '    - { file: /keys/old.pem, alg: RS256, state: verify }', '    - { file: ../older.pem, alg: EdDSA, state: retired }',
    '  issuers:', '    - { name: ours, publicKey: server.pem }', '    - { name: corp.1, jwksUrl: "https://login.example.test/keys?p=1", issuer: "https://login.example.test/", audience: charts, clockSkew: 2m, pushIncludes: [overwrite, delete] }', '    - { name: k8s, jwksFile: jwks.json, clockSkew: 0s, pushIncludes: [] }'
  ].join('\n'))
  t.match(result, { ok: true })
  t.strictSame(result.ok && result.config.tokens, {
    ttl: 300,
    issuer: 'http://localhost:5001',
    service: 'localhost:5001',
    keys: [{ file: join(dir, 'new.pem'), alg: 'ES256', state: 'active' }, { file: '/keys/old.pem', alg: 'RS256', state: 'verify' }, { file: join(dir, '../older.pem'), alg: 'EdDSA', state: 'retired' }],
    issuers: [
      { name: 'ours', publicKey: join(dir, 'server.pem') },
      { name: 'corp.1', jwksUrl: 'https://login.example.test/keys?p=1', issuer: 'https://login.example.test/', audience: 'charts', clockSkew: 120, pushIncludes: ['overwrite', 'delete'] },
      { name: 'k8s', jwksFile: join(dir, 'jwks.json'), clockSkew: 0, pushIncludes: [] }
    ]
  })
  for (const url of ['http://localhost/keys', 'http://127.0.0.1:8080/keys', 'http://[::1]:8080/keys', 'https://x']) t.same(await mistakes(t, `tokens: { issuers: [{ name: a, jwksUrl: "${url}" }] }`), [], url)
})

await t.test('every mistake is one line that says where, what and what was expected', async t => {
  const cases: [string, string, Environment, RegExp[]][] = [
    ['an unknown key with a near one', 'lisen: {}', {}, [/^lisen: unknown key: did you mean listen\?$/]],
    ['an unknown key deep inside', 'charts: { spool: { xyzzy: 1 } }', {}, [/^charts\.spool\.xyzzy: unknown key; known here: maxBytes$/]],
    ['an unknown key in a rule', 'policy: [{ repositories: [a], subjects: [anonymous], actions: [pull], deny: true }]', {}, [/^policy\[0\]\.deny: unknown key/]],
    ['several at once', 'listen: { port: eighty }\nadmin: { port: 70000 }\nlog: { level: loud, reads: 5 }', {}, [/^listen\.port: "eighty" is not a port number$/, /^admin\.port: 70000 is not/, /^log\.level: "loud" is not one of fatal, /, /^log\.reads: 5 is not true or false$/]],
    ['a list for a mapping', 'charts: []', {}, [/^charts: \[\] is not a mapping/]],
    ['a text for a list', 'policy: x\ntrustedProxies: y', {}, [/^trustedProxies: "y" is not a list/, /^policy: "x" is not a list/]],
    ['a rule without actions', 'policy: [{ repositories: [a], subjects: [anonymous] }]', {}, [/^policy\[0\].* is not a rule with/]],
    ['a bad pattern', 'policy: [{ repositories: ["a/../b"], subjects: [alice], actions: [admin] }]', {}, [/^policy\[0\]\.repositories\[0\]: "a\/\.\.\/b" is not a tenant pattern/, /^policy\[0\]\.subjects\[0\]: "alice" is not a subject: user:NAME, group:NAME, robot:NAME, cert:NAME, anonymous or authenticated \(/, /^policy\[0\]\.actions\[0\]/]],
    ['sizes and times', 'charts: { maxUploadSize: 20MB }\ntokens: { ttl: 5 }', {}, [/^charts\.maxUploadSize: "20MB" is not a size/, /^tokens\.ttl: 5 is not a duration/]],
    ['broken YAML', 'listen: {', {}, [/chartgate\.yaml:\d+:\d+: /]],
    ['a duplicate key', 'listen: {}\nlisten: {}', {}, [/chartgate\.yaml:2:1: .*unique/]],
    ['a list as a file', '- a', {}, [/the file is not a mapping/]],
    ['a registry that nobody would find', 'publicUrl: https://x/helm\noci: { enabled: true }', {}, [/^oci\.enabled: OCI clients ask at \/v2\/ of a host and know no path, and publicUrl has \/helm: /]],
    ['a registry of a wrong form', 'oci: { enabled: often, atRoot: 1 }', {}, [/^oci\.enabled: "often" is not true, false or auto$/, /^oci\.atRoot: 1 is not true or false$/]],
    ['attachments of a wrong form', 'oci: { attachments: { perChart: -1, maxBytes: much } }', {}, [/^oci\.attachments\.perChart: -1 is not a whole number from 0 to 1000000$/, /^oci\.attachments\.maxBytes: "much" is not a size such as 20MiB$/]],
    ['more attachments than a computer can have', 'oci: { attachments: { maxBytes: 99999999GiB } }', {}, [/^oci\.attachments\.maxBytes: .* is not a size that a computer can have$/]],
    ['a long drain', 'drain: { delay: 6m }', {}, [/^drain\.delay: "6m" is more than 5m/]],
    ['limits of logins', 'limits: { logins: { perAccount: 0, perAddress: many, within: 5 } }', {}, [/^limits\.logins\.perAccount: 0 is not a whole number from 1 to 1000000/, /^limits\.logins\.perAddress: "many" is not a whole number/, /^limits\.logins\.within: 5 is not a duration/]],
    ['limits of logins that do not fit', 'limits: { logins: { perAccount: 11, perAddress: 10, within: 25h } }', {}, [/^limits\.logins\.within: "25h" is more than 24h: /, /^limits\.logins\.perAddress: 10 is less than limits\.logins\.perAccount \(11\)/]],
    ['no connections', 'listen: { maxConnections: 0 }', {}, [/^listen\.maxConnections: 0 is not a whole number from 1 to 1000000/]],
    ['a short lifetime', 'tokens: { ttl: 59s }', {}, [/^tokens\.ttl: "59s" is not a duration of at least 60s/]],
    ['URLs', 'publicUrl: "ftp://x"\nupstream: { url: "http://u:hidden@x/path" }', {}, [/^publicUrl: "ftp:\/\/x" is not/, /^upstream\.url: "http:\/\/…@x\/path" is not/]],
    ['no URL', 'publicUrl: nonsense', {}, [/^publicUrl: "nonsense" is not/]],
    ['basic without a password', 'upstream: { auth: basic, username: x }', {}, [/^upstream\.auth: basic needs/]],
    ['a proxy that is no address', 'trustedProxies: [example.com, 10.0.0.0/33, "::/129", 1.2.3.4/5/6]', {}, [/^trustedProxies\[0\]/, /\[1\]/, /\[2\]/, /\[3\]/]],
    ['workers', 'workers: 0', {}, [/^workers: 0 is not a whole number from 1 to 256, or auto$/]],
    ['two inputs of one name', 'charts: { provPostFormFieldName: chart }', {}, [/^charts\.provPostFormFieldName: "chart" is charts\.chartPostFormFieldName too: a form cannot tell/]],
    ['a name that no form has', 'charts: { chartPostFormFieldName: "a\\"b" }', {}, [/^charts\.chartPostFormFieldName: "a\\"b" is not a name such as package/]],
    ['room that some uploads would never find', 'workers: 3\ncharts: { spool: { maxBytes: 59MiB } }', {}, [/^charts\.spool\.maxBytes: "59MiB" for 3 workers is less than charts\.maxUploadSize \("20MiB"\) for each/]],
    ['one port twice', 'admin: { port: 5001 }', {}, [/^admin\.port: 5001 is the port of the public listener too$/]],
    ['the demo key for everybody', 'masterKey: MASTERKEY\nlisten: { host: 0.0.0.0 }', {}, [/^masterKey: the demo's key works on loopback only/]],
    ['a short key', 'masterKey: hidden', {}, [/^masterKey: it is shorter than 16 characters/]],
    ['a secret of the wrong type', 'masterKey: [hidden]', {}, [/^masterKey: this value is not a text$/]],
    ['the environment', '', { CHARTGATE_LISTEN_PROT: '1', CHARTGATE_LOG_READS: 'yes', CHARTGATE_MASTER_KEY_FILE: '/nowhere/x', CHARTGATE_UPSTREAM_PASSWORD: 'a', CHARTGATE_UPSTREAM_PASSWORD_FILE: 'b' }, [
      /^CHARTGATE_UPSTREAM_PASSWORD_FILE: CHARTGATE_UPSTREAM_PASSWORD is set too/, /^CHARTGATE_MASTER_KEY_FILE: the file \/nowhere\/x cannot be read$/, /^CHARTGATE_LISTEN_PROT: no key/, /^log\.reads: "yes" is not/]],
    ['keys of a wrong form', 'tokens: { keys: [{ file: a, alg: HS256, state: next }, { file: a }, b] }', {}, [/^tokens\.keys\[0\]\.alg: "HS256" is not one of RS256, ES256, EdDSA$/, /^tokens\.keys\[0\]\.state: "next" is not one of active, verify, retired$/, /^tokens\.keys\[1\]: without alg and state it is not a key with file, alg and state$/, /^tokens\.keys\[2\]: "b" is not a key/]],
    ['keys of which none signs', 'tokens: { keys: [{ file: a, alg: RS256, state: verify }] }', {}, [/^tokens\.keys: exactly one key is active: it signs$/]],
    ['keys of which two sign', 'tokens: { keys: [{ file: a, alg: RS256, state: active }, { file: b, alg: RS256, state: active }] }', {}, [/^tokens\.keys: exactly one key is active: it signs$/]],
    ['issuers of a wrong form', 'tokens: { issuers: [{ name: A, publicKey: a, pushIncludes: [pull] }, { publicKey: a }, { name: b, publickey: a }] }', {}, [/^tokens\.issuers\[0\]\.name: "A" is not a name/, /^tokens\.issuers\[0\]\.pushIncludes\[0\]: "pull" is not one of overwrite, delete$/, /^tokens\.issuers\[1\]: without name it is not/, /^tokens\.issuers\[2\]\.publickey: unknown key: did you mean publicKey\?$/]],
    ['issuers that are none', 'tokens: { issuers: 5 }', {}, [/^tokens\.issuers: 5 is not a list of issuers/]],
    ['issuers without a key, with two, and twice', 'tokens: { issuers: [{ name: a }, { name: b, publicKey: x, jwksFile: y }, { name: b, publicKey: x }] }', {}, [/^tokens\.issuers\[0\]: it needs one of publicKey, jwksFile, jwksUrl$/, /^tokens\.issuers\[1\]: it needs one of/, /^tokens\.issuers\[2\]\.name: the name b is there already, at tokens\.issuers\[1\]$/]],
    ['clocks that differ by more than tokens may', 'tokens: { issuers: [{ name: a, publicKey: x, clockSkew: 301s }, { name: b, publicKey: x, clockSkew: 5m }, { name: c, publicKey: x, clockSkew: 1h }] }', {}, [/^tokens\.issuers\[0\]\.clockSkew: "301s" is more than 5m: /, /^tokens\.issuers\[2\]\.clockSkew: "1h" is more than 5m: /]],
    ['a clock in other words', 'tokens: { issuers: [{ name: a, publicKey: x, clockSkew: 10 }] }', {}, [/^tokens\.issuers\[0\]\.clockSkew: 10 is not a duration of at most 5m, such as 10s$/]],
    ['keys from where somebody else can change them', `tokens: { issuers: [${['http://login.example.test/keys', 'ftp://127.0.0.1/', 'https://u:hidden@x/', 'file:///etc/keys', 'nonsense', 'https://x/#y', 'http://127.0.0.1.example.test/', 'http://localhost.example.test/'].map((url, i) => `{ name: a${i}, jwksUrl: "${url}" }`).join(', ')}] }`, {}, [0, 1, 2, 3, 4, 5, 6, 7].map(i => new RegExp(`^tokens\\.issuers\\[${i}\\]\\.jwksUrl: ".*" is not an https URL, or an http one on loopback`))],
    ['a variable below something else', 'listen: 5', { CHARTGATE_LISTEN_PORT: '1' }, [/^listen: 5 is not a mapping/]]
  ]
  for (const [name, text, env, expected] of cases) {
    const found = await mistakes(t, text, env)
    t.equal(found.length, expected.length, `${name}: ${found.join(' | ')}`)
    for (const pattern of expected) t.ok(found.some(line => pattern.test(line)), `${name}: ${String(pattern)} in ${found.join(' | ')}`)
    t.notMatch(found.join(), 'hidden', name)
  }
  t.match(await loadConfig('/nowhere/chartgate.yaml', {}), { ok: false, mistakes: [/cannot be read \(ENOENT\)/] })
})

await t.test('the demo key works on loopback, and beyond it only when that is said', async t => {
  for (const host of ['127.0.0.1', 'localhost', '::1', '127.1.2.3']) t.equal((await config(t, `masterKey: MASTERKEY\nlisten: { host: "${host}" }`)).masterKey, 'MASTERKEY')
  t.equal((await config(t, 'masterKey: MASTERKEY\nallowDemoKey: true\nlisten: { host: 0.0.0.0 }')).allowDemoKey, true)
})

await t.test('workers are as many as is said, or one a core', async t => {
  t.equal((await config(t, 'workers: 3\ncharts: { spool: { maxBytes: 60MiB } }')).workers, 3)
  t.equal((await config(t, '', { CHARTGATE_WORKERS: '2' })).workers, 2)
  t.equal((await config(t, 'workers: auto\ncharts: { maxUploadSize: 1KiB }')).workers, availableParallelism())
})

await t.test('units are those that people write', t => {
  t.equal(readSize('20MiB'), 20 * 1024 * 1024)
  t.equal(readDuration('2h'), 7200)
  t.end()
})

await t.test('every key has a description, an expectation and a variable', t => {
  for (const { path, node } of leaves(ConfigSchema)) {
    t.ok((node.description ?? '').length > 3 && (node.expected ?? '').length > 3, path.join('.'))
    t.match(variableOf(path), /^CHARTGATE(_[A-Z]+)+$/)
  }
  t.end()
})

await t.test('files of TLS are relative to the configuration, and publicUrl is https then', async t => {
  const { listen, publicUrl } = await config(t, 'listen: { port: 6000, tls: { cert: tls.crt, key: tls.key } }')
  t.match(listen, { port: 6000, tls: { cert: /^\/.*\/tls\.crt$/, key: /^\/.*\/tls\.key$/, minVersion: '1.2' } })
  t.equal(publicUrl, 'https://localhost:6000')
  t.notOk('tls' in (await config(t, 'listen: { port: 6000 }')).listen)
})

await t.test('a certificate needs its key, and a version of TLS is a text', async t => {
  t.strictSame(await mistakes(t, 'listen: { tls: { cert: tls.crt } }'), ['listen.tls.key: listen.tls.cert needs listen.tls.key: a certificate and its private key are used together'])
  t.strictSame(await mistakes(t, 'listen: { tls: { key: tls.key } }'), ['listen.tls.key: listen.tls.key needs listen.tls.cert: a certificate and its private key are used together'])
  t.strictSame(await mistakes(t, 'listen: { tls: { cert: a, key: b, minVersion: 1.3 } }'), ['listen.tls.minVersion: 1.3 is not "1.2" or "1.3", in quotes'])
})

await t.test('certificates are called by one name each, and stand for one name here', async t => {
  const TLS = 'listen: { tls: { cert: a, key: b, clientCa: c } }\n'
  const of = async (...entries: string[]): Promise<string[]> => await mistakes(t, `${TLS}identity: { certificates: [${entries.join(', ')}] }`)
  t.strictSame(await of('{ name: ci, subject: "CN=ci,O=Lab" }', '{ name: cd, dns: cd.example.com, groups: [team-a] }', '{ name: flux, uri: "spiffe://a/b" }', '{ name: bot, email: bot@example.com }'), [])
  t.strictSame(await of('{ name: ci }'), ['identity.certificates[0]: it needs one of subject, dns, email, uri, ip'])
  t.strictSame(await of('{ name: ci, dns: a, uri: b }'), ['identity.certificates[0]: it needs one of subject, dns, email, uri, ip'])
  t.strictSame(await of('{ name: ci, subject: "ci" }'), ['identity.certificates[0].subject: "ci" is no distinguished name: write it as openssl x509 -noout -subject -nameopt RFC2253 does, such as CN=ci,OU=Build,O=Example'])
  for (const ip of ['10.0.0.300', 'fe80::1%eth0', '10.0.0.0/8', 'ci']) t.strictSame(await of(`{ name: ci, ip: "${ip}" }`), [`identity.certificates[0].ip: "${ip}" is no IP address, such as 10.0.0.7 or 2001:db8::7`])
  t.strictSame(await of('{ name: ci, ip: "2001:DB8::7" }', '{ name: cd, ip: "2001:db8:0::7" }'), ['identity.certificates[1]: it is called as identity.certificates[0] is, which counts'])
  t.strictSame(await of('{ name: ci, dns: a }', '{ name: ci, dns: b }'), ['identity.certificates[1].name: the name ci is there already, at identity.certificates[0]'])
  t.strictSame(await of('{ name: ci, dns: a.example.com }', '{ name: cd, dns: A.example.com }'), ['identity.certificates[1]: it is called as identity.certificates[0] is, which counts'])
  t.strictSame(await of('{ name: CI, dns: a }'), ['identity.certificates[0].name: "CI" is not a name of lower-case letters, digits, ".", "_" and "-"'])
  t.strictSame(await mistakes(t, 'identity: { certificates: [{ name: ci, dns: a }] }'), ['identity.certificates: no client is asked for a certificate: name the authorities that issue them in listen.tls.clientCa'])
  t.strictSame(await mistakes(t, 'listen: { tls: { clientCa: c } }'), ['listen.tls.clientCa: only over TLS a client shows a certificate: it needs listen.tls.cert and listen.tls.key'])
})

await t.test('several addresses are a list of which the first is the upstream', async t => {
  t.match((await config(t, 'upstream: { urls: ["http://a/", "http://b:8080", "https://c"] }')).upstream, { url: 'http://a', further: ['http://b:8080', 'https://c'] })
  t.match((await config(t, 'upstream: { urls: ["http://a"] }')).upstream, { url: 'http://a', further: [] })
  t.match((await config(t, 'upstream: { urls: [] }')).upstream, { url: undefined, further: [] })
  t.notOk('urls' in (await config(t, 'upstream: { urls: ["http://a"] }')).upstream)
  t.match((await config(t, 'upstream: { urls: ["http://a", "https://b"], tls: { serverName: x } }')).upstream, { tls: { serverName: 'x' } })
  const both = ['upstream.urls: upstream.url is the same list of one address: write that one here too, and leave upstream.url out']
  t.strictSame(await mistakes(t, 'upstream: { url: "http://a", urls: ["http://b"] }'), both)
  t.strictSame(await mistakes(t, 'upstream: { urls: ["http://b"] }', { CHARTGATE_UPSTREAM_URL: 'http://a' }), both)
  t.strictSame(await mistakes(t, 'upstream: { urls: ["http://a", "http://a"] }'), ['upstream.urls[1]: "http://a" is there already, at upstream.urls[0]'])
  t.match(await mistakes(t, 'upstream: { urls: ["http://u:hidden@a", ""] }'), [/^upstream\.urls\[0\]: "http:\/\/…@a" is not an http or https URL/, /^upstream\.urls\[1\]: "" is not/])
  t.match(await mistakes(t, `upstream: { urls: [${Array.from({ length: 9 }, (_, i) => `"http://a${i}"`).join()}] }`), [/is not a list of at most 8 URLs/])
  t.match(await mistakes(t, 'upstream: { urls: "http://a" }'), [/^upstream\.urls: "http:\/\/a" is not a list of at most 8 URLs/])
})

await t.test('TLS to the upstream is for one behind https', async t => {
  const { upstream } = await config(t, 'upstream: { url: "https://museum", tls: { ca: ca.crt, serverName: x } }')
  t.match(upstream, { tls: { ca: /^\/.*\/ca\.crt$/, serverName: 'x' } })
  t.strictSame(Object.keys(upstream.tls ?? {}).sort(), ['ca', 'serverName'])
  const sentence = 'upstream.tls: it is for a chart repository behind https, and upstream.url does not begin with that'
  for (const url of ['', 'http://museum']) t.strictSame(await mistakes(t, `upstream: { url: "${url}", tls: { ca: ca.crt } }`), [sentence])
  t.strictSame(await mistakes(t, 'upstream: { url: "https://museum", tls: { cert: a } }'), ['upstream.tls.key: upstream.tls.cert needs upstream.tls.key: a certificate and its private key are used together'])
})

await t.test('the admin listener has a certificate and a token of its own', async t => {
  t.match(await config(t, 'admin: { tls: { cert: a, key: b } }', { CHARTGATE_ADMIN_TOKEN_FILE: 'DIR/secret' }), { admin: { tls: { cert: /^\/.*\/a$/, key: /^\/.*\/b$/ }, token: 'a-secret-of-sixteen-characters' } })
  t.strictSame(await mistakes(t, 'admin: { tls: { key: b } }'), ['admin.tls.key: admin.tls.key needs admin.tls.cert: a certificate and its private key are used together'])
  t.strictSame(await mistakes(t, 'admin: { token: short }'), ['admin.token: it is shorter than 16 characters; make one with: openssl rand -hex 32'])
  t.strictSame(await mistakes(t, 'admin: { token: "sixteen characters and a blank" }'), ['admin.token: it contains a blank or another character that a Bearer header cannot carry'])
})

await t.test('there is a registry, unless it is switched off or publicUrl has a path that its clients do not know', async t => {
  const cases: [text: string, env: Record<string, string>, enabled: boolean][] = [
    ['publicUrl: https://x', {}, true],
    ['publicUrl: https://x/helm', {}, false],
    ['publicUrl: https://x/helm\noci: { atRoot: true }', {}, true],
    ['publicUrl: https://x/helm\noci: { enabled: true, atRoot: true }', {}, true],
    ['publicUrl: https://x/helm\noci: { enabled: false, atRoot: true }', {}, false],
    ['oci: { enabled: false }', {}, false],
    ['oci: { enabled: false }', { CHARTGATE_OCI_ENABLED: 'auto' }, true],
    ['', { CHARTGATE_OCI_ENABLED: 'false' }, false],
    ['oci: { enabled: false }', { CHARTGATE_OCI_ENABLED: 'true' }, true]
  ]
  for (const [text, env, enabled] of cases) t.equal((await config(t, text, env)).oci.enabled, enabled, `${text} ${JSON.stringify(env)}`)
})
