// Certificates of a running gateway change with their files, as people and Kubernetes write
// them.
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Config } from '../../src/config/schema.ts'
import { listenerTls, liveOf, openTls, putTls, tlsData, tlsOfData, tlsParts, type OpenedTls, type TlsKey } from '../../src/live/live-tls.ts'
import type { ReloadFacts } from '../../src/live/part.ts'
import { watchConfig } from '../../src/live/reload.ts'
import { CLOCK } from '../../src/lib/clock.ts'
import type { Material } from '../../src/tls/material.ts'
import { testConfig } from '../helpers/app.ts'
import { Authority, type Issued } from '../helpers/certificates.ts'
import { testFolder } from '../helpers/folder.ts'
import { until, untilTrue } from '../helpers/until.ts'

const made = testFolder(t)
const authority = Authority.make(join(made, 'ca'))
const [first, second, ended] = [authority.issue(), authority.issue(), authority.issue({ days: -1 })]
const NOT_USED = 'a changed file is not used'

interface Running {
  readonly tls: OpenedTls
  readonly log: (Record<string, unknown> & { message: string })[]
  readonly reports: ReloadFacts[]
  readonly fingerprint: () => string | undefined
  readonly lookNow: () => Promise<void>
}

function withTls (config: Config, dir: string): Config {
  return { ...config, listen: { ...config.listen, tls: { cert: join(dir, 'tls.crt'), key: join(dir, 'tls.key'), minVersion: '1.2' } } }
}

async function open (config: Config): Promise<OpenedTls> {
  const opened = await openTls(config, CLOCK.wall())
  if (!opened.ok) throw new Error(opened.mistakes.join())
  return opened.opened
}

async function run (t: Test, dir: string): Promise<Running> {
  const config = withTls(testConfig(dir, undefined), dir)
  const tls = await open(config)
  const log: Running['log'] = []
  const reports: ReloadFacts[] = []
  const say = (fields: object, message: string): void => { log.push({ ...fields, message }) }
  const watch = watchConfig({ parts: tlsParts(tls, CLOCK.wall), stamps: tls.stamps, config, reload: async () => ({ ok: true, config }), log: { info: say, warn: say, error: say }, report: facts => { reports.push(facts) } })
  t.teardown(() => { watch.close() })
  return { tls, log, reports, fingerprint: () => liveOf(tls, 'listen.tls')?.current.own?.fingerprint256, lookNow: async () => { await watch.lookNow() } }
}

function write (dir: string, { certText, keyText }: Pick<Issued, 'certText' | 'keyText'>): void {
  writeFileSync(join(dir, 'tls.crt'), certText)
  writeFileSync(join(dir, 'tls.key'), keyText)
}

const fingerprintOf = ({ certText, keyText }: Issued): string | undefined => tlsOfData([{ key: 'listen.tls', files: {}, texts: { cert: certText, key: keyText } }]).parts[0]?.live.current.own?.fingerprint256

await t.test('a pair that does not fit leaves the old one in force, says so once, and is tried until it fits', async t => {
  const dir = testFolder(t)
  write(dir, first)
  const { log, reports, fingerprint } = await run(t, dir)
  writeFileSync(join(dir, 'tls.crt'), second.certText)
  const said = await until(() => log.find(({ message }) => message === NOT_USED))
  t.match(said, { mistake: `listen.tls: ${join(dir, 'tls.key')} is not the key of the certificate in ${join(dir, 'tls.crt')}: give the two that were made together` })
  await untilTrue(() => reports.length >= 2)
  t.match(reports[0], { isInForce: false, isSound: false, mistakes: [/is not the key/] }, 'as a reload that failed')
  t.strictSame(reports[1]?.mistakes, [], 'the second try has nothing new to say')
  t.equal(fingerprint(), fingerprintOf(first))
  writeFileSync(join(dir, 'tls.key'), second.keyText)
  await untilTrue(() => fingerprint() === fingerprintOf(second))
  t.equal(log.filter(({ message }) => message === NOT_USED).length, 1)
  t.match(await until(() => log.find(({ message }) => message === 'certificates were read again')), { keys: ['listen.tls.cert', 'listen.tls.key'], fingerprint: fingerprintOf(second), expires: /^\d{4}-\d\d-\d\dT.*Z$/ })
  t.match(await until(() => reports.find(({ isInForce }) => isInForce)), { isSound: true })
})

await t.test('one that has ended, is broken or gone is not used', async t => {
  const dir = testFolder(t)
  write(dir, first)
  const { log, fingerprint } = await run(t, dir)
  const mistake = async (pattern: RegExp): Promise<void> => { await until(() => log.find(({ mistake }) => pattern.test(String(mistake)))) }
  write(dir, ended)
  await mistake(/^listen\.tls: the certificate in .*tls\.crt ended at/)
  writeFileSync(join(dir, 'tls.crt'), 'x')
  await mistake(/^listen\.tls: .*tls\.crt holds no certificate/)
  renameSync(join(dir, 'tls.key'), join(dir, 'gone'))
  await mistake(/^listen\.tls: .*tls\.key: the file cannot be read \(ENOENT\)/)
  t.equal(fingerprint(), fingerprintOf(first))
})

await t.test('it follows the links that Kubernetes exchanges, and SIGHUP', async t => {
  const dir = testFolder(t)
  for (const [name, pair] of [['..1', first], ['..2', second]] as const) {
    mkdirSync(join(dir, name))
    write(join(dir, name), pair)
  }
  symlinkSync('..1', join(dir, '..data'))
  for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(dir, name))
  const { fingerprint, lookNow, log } = await run(t, dir)
  t.equal(fingerprint(), fingerprintOf(first))
  symlinkSync('..2', join(dir, '..new'))
  renameSync(join(dir, '..new'), join(dir, '..data'))
  await lookNow()
  t.equal(fingerprint(), fingerprintOf(second))
  t.equal(log.filter(({ message }) => message === NOT_USED).length, 0)
  symlinkSync('..1', join(dir, '..new'))
  renameSync(join(dir, '..new'), join(dir, '..data'))
  await untilTrue(() => fingerprint() === fingerprintOf(first))
})

await t.test('what cannot be used at the start is all said', async t => {
  const dir = testFolder(t)
  t.match(await openTls(withTls(testConfig(dir, undefined), dir), CLOCK.wall()), { ok: false, mistakes: [/tls\.crt: the file cannot be read/, /tls\.key: the file cannot be read/] })
  write(dir, ended)
  t.match(await openTls(withTls(testConfig(dir, undefined), dir), CLOCK.wall()), { ok: false, mistakes: [/^listen\.tls: the certificate in .*tls\.crt ended at/] })
  t.match(await openTls(testConfig(dir, undefined), 0), { ok: true, opened: { parts: [{ key: 'upstream.tls' }] } }, 'and without any there is the way to the upstream alone')
})

await t.test('another process begins with what is in force, also when its time has come', async t => {
  const dir = testFolder(t)
  write(dir, first)
  const { tls } = await run(t, dir)
  const data = JSON.parse(JSON.stringify(tlsData(tls))) as ReturnType<typeof tlsData>
  const other = tlsOfData(data)
  t.strictSame(tlsData(other), tlsData(tls))
  const old = tlsOfData([{ key: 'listen.tls', files: {}, texts: { cert: ended.certText, key: ended.keyText } }])
  t.match(tlsData(old), [{ key: 'listen.tls', texts: { cert: ended.certText } }])
  t.throws(() => tlsOfData([{ key: 'listen.tls', files: {}, texts: { cert: first.certText, key: second.keyText } }]), /is not the key/)
})

await t.test('another process takes what is another one there, and leaves what is not', async t => {
  const tls = tlsOfData([{ key: 'listen.tls', files: {}, texts: { cert: first.certText, key: first.keyText } }, { key: 'upstream.tls', files: {}, texts: {} }])
  const swapped: string[] = []
  for (const { key, live } of tls.parts) live.follow(() => { swapped.push(key) })
  putTls(tls, tlsData(tls))
  t.strictSame(swapped, [])
  putTls(tls, [{ key: 'listen.tls', files: {}, texts: { cert: second.certText, key: second.keyText } }, { key: 'upstream.tls', files: {}, texts: {} }])
  t.strictSame(swapped, ['listen.tls'])
  t.match(tlsData(tls), [{ texts: { cert: second.certText } }, {}])
})

await t.test('who asks for what is as it was gets it, and nothing is said', async t => {
  const dir = testFolder(t)
  write(dir, first)
  const { log, fingerprint, lookNow } = await run(t, dir)
  await lookNow()
  t.equal(fingerprint(), fingerprintOf(first))
  t.strictSame(log.filter(({ message }) => message === 'certificates were read again'), [])
})

await t.test('each part of the configuration has what it names, and no other', async t => {
  const config = testConfig('/nowhere', 'https://museum')
  const { cert, key } = first
  const pair = { cert, key }
  const all: Config = {
    ...config,
    listen: { ...config.listen, tls: { ...pair, minVersion: '1.3', clientCa: authority.cert } },
    admin: { ...config.admin, tls: pair },
    upstream: { ...config.upstream, tls: { ca: authority.cert, serverName: 'museum.internal' } }
  }
  const tls = await open(all)
  t.strictSame(tls.parts.map(({ key }) => key), ['listen.tls', 'listen.tls.clientCa', 'admin.tls', 'upstream.tls'])
  t.match(listenerTls(tls), { pair: liveOf(tls, 'listen.tls'), clients: liveOf(tls, 'listen.tls.clientCa') })
  t.equal(liveOf(tls, 'listen.tls')?.current.minVersion, '1.3')
  t.match(liveOf(tls, 'upstream.tls')?.current, { serverName: 'museum.internal', files: { ca: authority.cert } })
  t.equal(listenerTls({ parts: [] }), undefined)
  const nameAlone = await open({ ...config, upstream: { ...config.upstream, tls: { serverName: 'x' } } })
  t.match(liveOf(nameAlone, 'upstream.tls')?.current, { serverName: 'x', texts: {} })
})

await t.test('other files are in force when all of a part can be used, and are told by their keys', async t => {
  const dir = testFolder(t)
  const [one, two] = [join(dir, 'one'), join(dir, 'two')]
  for (const each of [one, two]) mkdirSync(each)
  write(one, first)
  const plain = testConfig(dir, 'https://museum')
  const withUpstream = (config: Config, tls: NonNullable<Config['upstream']['tls']>): Config => ({ ...config, upstream: { ...config.upstream, tls } })
  let config = withTls(plain, one)
  const tls = await open(config)
  const log: Running['log'] = []
  const say = (fields: object, message: string): void => { log.push({ ...fields, message }) }
  const watch = watchConfig({ parts: tlsParts(tls, CLOCK.wall), stamps: tls.stamps, config, reload: async () => ({ ok: true, config }), log: { info: say, warn: say, error: say } })
  t.teardown(() => { watch.close() })
  const look = async (next: Config): Promise<{ changed: readonly string[], mistakes: readonly string[] }> => {
    config = next
    return await watch.lookNow()
  }
  const inForce = (key: TlsKey): Partial<Material> => liveOf(tls, key)?.current ?? {}

  t.match(await look(withTls(plain, two)), { changed: [], mistakes: [/two.tls\.crt: the file cannot be read \(ENOENT\)/, /two.tls\.key: the file/] })
  write(two, { certText: second.certText, keyText: first.keyText })
  const unfit = withTls(plain, two)
  t.match(await look({ ...unfit, listen: { ...unfit.listen, tls: { ...unfit.listen.tls as NonNullable<Config['listen']['tls']>, minVersion: '1.3' } } }), { changed: [], mistakes: [/two.tls\.key is not the key of the certificate in .*two.tls\.crt/] })
  t.match(inForce('listen.tls'), { minVersion: '1.2', files: { cert: join(one, 'tls.crt') }, texts: { cert: first.certText, key: first.keyText } }, 'all of it is as it was')
  write(two, second)
  await untilTrue(() => inForce('listen.tls').minVersion === '1.3')
  t.match(inForce('listen.tls'), { files: { cert: join(two, 'tls.crt') }, texts: { cert: second.certText } })
  t.match(log.at(-1), { keys: ['listen.tls.cert', 'listen.tls.key', 'listen.tls.minVersion'] })
  t.match(await look(withTls(plain, two)), { changed: ['listen.tls.minVersion'], mistakes: [] })
  write(two, first)
  await untilTrue(() => inForce('listen.tls').texts?.cert === first.certText)
  t.match(await look(withTls(plain, one)), { changed: ['listen.tls.cert', 'listen.tls.key'] }, 'by the name alone too')
  const ca = { ca: authority.cert }
  t.match(await look(withUpstream(config, { ...ca, serverName: 'museum.internal' })), { changed: ['upstream.tls.ca', 'upstream.tls.serverName'] }, 'from none to one')
  t.match(inForce('upstream.tls'), { serverName: 'museum.internal', texts: { ca: authority.certText } })
  t.match(await look(withUpstream(config, { ...ca, cert: first.cert, key: second.key, serverName: 'other.internal' })), { changed: [], mistakes: [/^upstream\.tls: .* is not the key/] })
  t.equal(inForce('upstream.tls').serverName, 'museum.internal', 'a name waits for what it came with')
  t.match(await look(withTls(plain, one)), { changed: ['upstream.tls.ca', 'upstream.tls.serverName'], mistakes: [] }, 'and back')
  t.strictSame([inForce('upstream.tls').texts, log.at(-1)?.['expires']], [{}, undefined])
})

await t.test('other authorities of clients are told by their one key', async t => {
  const dir = testFolder(t)
  write(dir, first)
  const other = Authority.make(join(dir, 'other'))
  const naming = (clientCa: string): Config => {
    const config = withTls(testConfig(dir, undefined), dir)
    return { ...config, listen: { ...config.listen, tls: { ...config.listen.tls as NonNullable<Config['listen']['tls']>, clientCa } } }
  }
  let config = naming(authority.cert)
  const tls = await open(config)
  const quiet = (): void => {}
  const watch = watchConfig({ parts: tlsParts(tls, CLOCK.wall), stamps: tls.stamps, config, reload: async () => ({ ok: true, config }), log: { info: quiet, warn: quiet, error: quiet } })
  t.teardown(() => { watch.close() })
  config = naming(other.cert)
  t.match(await watch.lookNow(), { changed: ['listen.tls.clientCa'], mistakes: [] })
  t.equal(liveOf(tls, 'listen.tls.clientCa')?.current.texts.ca, other.certText)
})
