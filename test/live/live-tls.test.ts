// Certificates of a running gateway change with their files, as people and Kubernetes write
// them.
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Config } from '../../src/config/schema.ts'
import { certificatesCheck, certificateWarnings, digestOfTls, listenerTls, liveOf, openTls, schemeWarnings, tlsData, tlsOfData, tlsParts, upstreamTls, type OpenedTls } from '../../src/live/live-tls.ts'
import type { ReloadFacts } from '../../src/live/part.ts'
import { watchConfig } from '../../src/live/reload.ts'
import { CLOCK } from '../../src/lib/clock.ts'
import { endOf } from '../../src/tls/material.ts'
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

async function run (t: Test, dir: string): Promise<Running> {
  const config = withTls(testConfig(dir, undefined), dir)
  const opened = await openTls(config, CLOCK.wall())
  if (!opened.ok) throw new Error(opened.mistakes.join())
  const tls = opened.opened
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

const fingerprintOf = ({ certText, keyText }: Issued): string | undefined => tlsOfData([{ key: 'listen.tls', files: {}, texts: { cert: certText, key: keyText } }], new Map()).parts[0]?.live.current.own?.fingerprint256

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
  t.match(await until(() => log.find(({ message }) => message === 'certificates were read again')), { key: 'listen.tls', fingerprint: fingerprintOf(second), expires: /^\d{4}-\d\d-\d\dT.*Z$/ })
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
  t.match(await openTls(testConfig(dir, undefined), 0), { ok: true, opened: { parts: [] } }, 'and without any there is nothing')
})

await t.test('another process begins with what is in force, also when its time has come', async t => {
  const dir = testFolder(t)
  write(dir, first)
  const { tls } = await run(t, dir)
  const data = JSON.parse(JSON.stringify(tlsData(tls))) as ReturnType<typeof tlsData>
  t.equal(digestOfTls(tlsOfData(data, new Map())), digestOfTls(tls))
  const old = tlsOfData([{ key: 'listen.tls', files: {}, texts: { cert: ended.certText, key: ended.keyText } }], new Map())
  t.not(digestOfTls(old), digestOfTls(tls))
  t.throws(() => tlsOfData([{ key: 'listen.tls', files: {}, texts: { cert: first.certText, key: second.keyText } }], new Map()), /is not the key/)
})

await t.test('who asks for what is as it was gets it, and nothing is said', async t => {
  const dir = testFolder(t)
  write(dir, first)
  const { log, fingerprint, lookNow } = await run(t, dir)
  await lookNow()
  t.equal(fingerprint(), fingerprintOf(first))
  t.strictSame(log.filter(({ message }) => message === 'certificates were read again'), [])
})

await t.test('two weeks before its end a certificate is spoken of', async t => {
  const dir = testFolder(t)
  write(dir, first)
  const { tls } = await run(t, dir)
  const end = endOf(liveOf(tls, 'listen.tls')?.current.own as NonNullable<OpenedTls['parts'][number]['live']['current']['own']>)
  t.strictSame(certificateWarnings(tls, end - 15 * 86_400), [])
  t.match(certificateWarnings(tls, end - 13 * 86_400), [/^listen\.tls: the certificate in .*tls\.crt ends at .*Z: put a new one in its place before that$/])
  t.strictSame(await certificatesCheck(tls, () => end).look(), certificateWarnings(tls, end), 'also to who asks whether it is ready')
  t.match(certificateWarnings(tls, end), [/^listen\.tls: the certificate in .*tls\.crt ended at .*Z: put a new one in its place$/])
  const { parts: [part] } = tls
  const authorities = { parts: [{ key: 'listen.tls' as const, files: { ca: '/ca.crt' }, live: tlsOfData([{ key: 'listen.tls', files: {}, texts: { ca: authority.certText } }], new Map()).parts[0]?.live ?? (part as NonNullable<typeof part>).live }] }
  t.match(certificateWarnings(authorities, end + 86_400), [/^listen\.tls: the authority "O=Lab, CN=Lab Root" in \/ca\.crt ended at/])
})

await t.test('a publicUrl of http is a warning where clients speak TLS', t => {
  const config = testConfig('/nowhere', undefined)
  t.strictSame(schemeWarnings(config), [])
  t.match(schemeWarnings(withTls(config, '/nowhere')), [/^publicUrl: it is http, and the public listener speaks TLS/])
  t.strictSame(schemeWarnings({ ...withTls(config, '/nowhere'), publicUrl: 'https://charts.example.test' }), [])
  t.end()
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
  const opened = await openTls(all, CLOCK.wall())
  if (!opened.ok) throw new Error(opened.mistakes.join())
  const tls = opened.opened
  t.strictSame(tls.parts.map(({ key }) => key), ['listen.tls', 'listen.tls.clientCa', 'admin.tls', 'upstream.tls'])
  t.match(listenerTls(all, tls), { minVersion: '1.3', pair: liveOf(tls, 'listen.tls'), clients: liveOf(tls, 'listen.tls.clientCa') })
  t.match(upstreamTls(all, tls), { serverName: 'museum.internal', material: liveOf(tls, 'upstream.tls') })
  t.equal(listenerTls(config, { parts: [] }), undefined)
  t.strictSame(upstreamTls(config, { parts: [] }), {})
  const nameAlone = { ...config, upstream: { ...config.upstream, tls: { serverName: 'x' } } }
  t.match(await openTls(nameAlone, 0), { ok: true, opened: { parts: [] } })
  t.strictSame(upstreamTls(nameAlone, { parts: [] }), { serverName: 'x' })
})
