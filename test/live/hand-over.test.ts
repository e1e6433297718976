// What is in force in one process comes to another one: the whole, and then what has changed.
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { beginWith, changesOf, inForce, putInForce } from '../../src/live/hand-over.ts'
import { follow, type Followed, type GoneBy } from '../../src/live/in-force.ts'
import { loadConfig } from '../../src/config/load.ts'
import { openCertificates } from '../../src/live/live-certificates.ts'
import { openLiveFederation } from '../../src/live/live-federation.ts'
import { openKeys, type Publisher } from '../../src/live/live-keys.ts'
import { openRevocations, revocationsFile } from '../../src/live/live-revocations.ts'
import { openTls } from '../../src/live/live-tls.ts'
import { openAuthority, type ConfigWatch, type Reload } from '../../src/live/reload.ts'
import { createLive } from '../../src/lib/live.ts'
import { CLOCK } from '../../src/lib/clock.ts'
import { revocationText } from '../../src/tokens/revocations.ts'
import { Authority } from '../helpers/certificates.ts'
import { cheapHash } from '../helpers/accounts.ts'
import { GITHUB, ruleFor } from '../helpers/federation.ts'
import { testFolder, type TestLike } from '../helpers/folder.ts'
import { until } from '../helpers/until.ts'

const LOG = { info () {}, warn () {}, error () {} }
const hash = await cheapHash('x')
const users = (...names: string[]): string => stringify({ users: names.map(name => ({ name, passwordHash: hash })) })
const ROBOT = { name: 'ci', secrets: [{ hash: `sha256:${'a1'.repeat(32)}`, expires: '2030-01-01' }] }
const CERTIFICATE = { name: 'node', dns: 'node.example' }
const ISSUER = { name: 'far', jwksUrl: 'https://far.example/keys' }
const { name, issuer, kind, audience } = GITHUB
const PROVIDER = { name, issuer, kind, audience }
const ca = Authority.make(join(testFolder(t), 'ca'))
const [one, two] = [ca.issue(), ca.issue()]
const tls = { cert: 'tls.crt', key: 'tls.key', clientCa: 'ca.crt' }
const written = (more: object = {}): string => stringify({ listen: { tls }, publicUrl: 'https://charts.example', accounts: { files: ['accounts.yaml', 'robots.yaml'] }, policy: [{ repositories: ['**'], subjects: ['authenticated'], actions: ['pull'] }], ...more })

interface Primary extends Followed {
  readonly dir: string
  readonly watch: ConfigWatch
}

async function primary (t: TestLike): Promise<Primary> {
  const dir = testFolder(t, { 'chartgate.yaml': written(), 'accounts.yaml': users('alice', 'bob'), 'robots.yaml': stringify({ robots: [ROBOT] }), 'tls.crt': one.certText, 'tls.key': one.keyText, 'ca.crt': ca.certText })
  const reload: Reload = async (reader, held) => await loadConfig(join(dir, 'chartgate.yaml'), { CHARTGATE_STATE_DIR: join(dir, 'state') }, reader, held)
  const loaded = await loadConfig(join(dir, 'chartgate.yaml'), { CHARTGATE_STATE_DIR: join(dir, 'state') })
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'))
  const { config } = loaded
  const [authority, keys, federation] = [await openAuthority(config), await openKeys(config), await openLiveFederation(config)]
  const [tls, revocations] = [await openTls(config, CLOCK.wall()), await openRevocations(config, CLOCK)]
  if (!authority.ok || !keys.ok || !federation.ok || !revocations.ok || !tls.ok) throw new Error('they are right')
  const followed: Followed = { settings: createLive(config), authority: authority.opened, keys: keys.opened, tls: tls.opened, certificates: openCertificates(config), federation: federation.opened, revocations: revocations.opened, parts: [], reload, report () {} }
  const watch = follow(followed, LOG, () => {})
  t.teardown(() => { watch.close() })
  return { ...followed, dir, watch }
}

/** As it arrives in another process. */
function sent<T> (data: T): T {
  return JSON.parse(JSON.stringify(data)) as T
}

const names = ({ authority }: GoneBy): string[] => [...authority.live.current.accounts.users.keys(), ...authority.live.current.accounts.robots.keys()]

await t.test('the whole is all there, whatever the files say by then', async t => {
  const first = await primary(t)
  for (const [name, text] of [['chartgate.yaml', 'policy: ['], ['accounts.yaml', users('alice')], ['robots.yaml', 'robots: ['], ['state/keys/token.pem', 'x']] as const) await writeFile(join(first.dir, name), text)
  await first.watch.lookNow()
  const second = await beginWith(sent(inForce(first)))
  t.strictSame(names(second), ['alice', 'ci'])
  t.strictSame(second.authority.live.current.accounts, first.authority.live.current.accounts)
  t.strictSame(second.settings.current, first.settings.current)
  t.equal(second.authority.live.current.rules.find(['authenticated'], 'x', 'pull'), 'policy[0]')
  t.equal(second.keys.live.current.ring.signing(CLOCK.wall()).kid, first.keys.live.current.ring.signing(CLOCK.wall()).kid)
  t.strictSame(sent(inForce(second)), sent(inForce(first)))
})

await t.test('each change is told once, and puts the same in force', async t => {
  const first = await primary(t)
  const second = await beginWith(sent(inForce(first)))
  const changes = changesOf(first)
  const fetched: string[] = []
  const look = async (): Promise<void> => { t.strictSame((await first.watch.lookNow()).mistakes, []) }
  const pass = async (): Promise<string[]> => {
    const changed = sent(changes())
    await putInForce(second, changed, LOG, (publishers: readonly Publisher[]) => { fetched.push(...publishers.filter(({ remote }) => remote !== undefined).map(({ config: { name } }) => name)) })
    t.strictSame(sent(inForce(second)), sent(inForce(first)))
    return Object.keys(changed)
  }
  t.strictSame(changes(), {}, 'nothing is told that the whole had')
  await writeFile(join(first.dir, 'accounts.yaml'), users('alice'))
  await until(() => names(first).length === 2 ? true : undefined)
  t.strictSame(await pass(), ['authority'], 'that part alone')
  t.strictSame(names(second), ['alice', 'ci'])

  const token = '0'.repeat(22)
  await appendFile(revocationsFile(first.settings.current), `${revocationText({ token }, CLOCK.wall(), 300)}\n`)
  await look()
  t.match(await pass(), /revoked/)
  t.equal(second.revocations.held.isRevoked({ id: token, subject: 'user:alice', issuedAt: 0 }), true)

  const federation = { providers: [PROVIDER], rules: [ruleFor(GITHUB)].map(({ provider, match, subject, repositories, actions }) => ({ provider, match, subject, repositories, actions })) }
  await writeFile(join(first.dir, 'chartgate.yaml'), written({ log: { level: 'error' }, tokens: { issuers: [ISSUER] }, identity: { certificates: [CERTIFICATE] }, federation, upstream: { url: 'https://charts.example' } }))
  await look()
  await pass()
  t.equal(second.settings.current.log.level, 'error')
  t.equal(second.settings.current.upstream.url, undefined, 'what a restart alone changes is as it was')
  t.strictSame(fetched, ['far', GITHUB.name])
  t.equal(second.certificates.current.principals.size, 1)
  const [issuer] = second.keys.live.current.issuers
  const remote = second.federation.live.current.providers[0]?.remote

  await writeFile(join(first.dir, 'chartgate.yaml'), written({ tokens: { issuers: [ISSUER] }, federation: { ...federation, rules: [] } }))
  await look()
  await pass()
  t.strictSame(fetched, ['far', GITHUB.name], 'who is asked at the same place keeps what was fetched')
  t.equal(second.keys.live.current.issuers[0], issuer)
  t.equal(second.federation.live.current.providers[0]?.remote, remote)
  t.equal(second.federation.live.current.rules.size, 0)

  for (const [file, text] of [['tls.crt', two.certText], ['tls.key', two.keyText]] as const) await writeFile(join(first.dir, file), text)
  await until(() => first.tls.parts[0]?.live.current.texts.cert === two.certText ? true : undefined)
  t.strictSame(await pass(), ['tls'])
  t.equal(second.tls.parts[0]?.live.current.texts.cert, two.certText)
})
