// What a process begins with that another one has in force, and how it goes on from there.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { beginWith, follow, inForce, type Followed, type InForce } from '../../src/live/in-force.ts'
import { loadConfig } from '../../src/config/load.ts'
import { NO_FEDERATION } from '../../src/identity/federation/providers.ts'
import { openCertificates } from '../../src/live/live-certificates.ts'
import { openLiveFederation } from '../../src/live/live-federation.ts'
import { openKeys } from '../../src/live/live-keys.ts'
import { openRevocations } from '../../src/live/live-revocations.ts'
import { openAuthority, type ConfigWatch, type Reload } from '../../src/live/reload.ts'
import { createLive } from '../../src/lib/live.ts'
import { CLOCK } from '../../src/lib/clock.ts'
import { createRevocations } from '../../src/tokens/revocations.ts'
import { cheapHash } from '../helpers/accounts.ts'
import { testFolder, type TestLike } from '../helpers/folder.ts'
import { until } from '../helpers/until.ts'

const NO_TLS = { parts: [], stamps: new Map<string, string>() }
const hash = await cheapHash('x')
const users = (...names: string[]): string => stringify({ users: names.map(name => ({ name, passwordHash: hash })) })
const ROBOT = { name: 'ci', secrets: [{ hash: `sha256:${'a1'.repeat(32)}`, expires: '2030-01-01' }] }
const CONFIG = stringify({ accounts: { files: ['accounts.yaml', 'robots.yaml'] }, policy: [{ repositories: ['**'], subjects: ['authenticated'], actions: ['pull'] }] })

interface Process extends Followed {
  readonly watch: ConfigWatch
  readonly mistakes: string[]
}

function followed (t: TestLike, each: Followed): Process {
  const mistakes: string[] = []
  const watch = follow(each, { info () {}, warn () {}, error (fields) { mistakes.push((fields as { mistake: string }).mistake) } }, () => {})
  t.teardown(() => { watch.close() })
  return { ...each, watch, mistakes }
}

async function primary (t: TestLike): Promise<Process & { readonly dir: string }> {
  const dir = testFolder(t, { 'chartgate.yaml': CONFIG, 'accounts.yaml': users('alice', 'bob'), 'robots.yaml': stringify({ robots: [ROBOT] }) })
  const reload: Reload = async (reader, held) => await loadConfig(join(dir, 'chartgate.yaml'), { CHARTGATE_STATE_DIR: join(dir, 'state') }, reader, held)
  const loaded = await loadConfig(join(dir, 'chartgate.yaml'), { CHARTGATE_STATE_DIR: join(dir, 'state') })
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'))
  const [authority, keys, federation] = [await openAuthority(loaded.config), await openKeys(loaded.config), await openLiveFederation(loaded.config)]
  const revocations = await openRevocations(loaded.config, CLOCK)
  if (!authority.ok || !keys.ok || !federation.ok || !revocations.ok) throw new Error('they are right')
  return { dir, ...followed(t, { settings: createLive(loaded.config), authority: authority.opened, keys: keys.opened, tls: NO_TLS, certificates: openCertificates(loaded.config), federation: federation.opened, revocations: revocations.opened, reload }) }
}

/** Another process, which gets a message of JSON. */
async function another (t: TestLike, { reload, watch, ...first }: Process): Promise<Process> {
  const message = JSON.parse(JSON.stringify(inForce(first, watch))) as InForce
  return followed(t, { ...await beginWith(message), reload })
}

const names = ({ authority }: Followed): string[] => [...authority.live.current.accounts.users.keys(), ...authority.live.current.accounts.robots.keys()]

await t.test('it is all there, and goes on from there', async t => {
  const first = await primary(t)
  const second = await another(t, first)
  t.strictSame(second.authority.live.current.accounts, first.authority.live.current.accounts)
  t.equal(second.authority.live.current.rules.find(['authenticated'], 'x', 'pull'), 'policy[0]')
  t.strictSame(second.keys.live.current.ring.signing(CLOCK.wall()).kid, first.keys.live.current.ring.signing(CLOCK.wall()).kid)
  t.strictSame(second.authority.stamps, first.watch.newest().stamps, 'nothing is read that is known')
  await writeFile(join(first.dir, 'accounts.yaml'), users('alice'))
  await until(() => names(second).length === 2 ? true : undefined)
  t.strictSame(names(second), ['alice', 'ci'], 'what did not change it had to read too')
})

await t.test('while files are broken it knows what the first knows, looks at them itself, and takes no more', async t => {
  const first = await primary(t)
  for (const [name, text] of [['chartgate.yaml', 'policy: ['], ['accounts.yaml', users('alice')], ['robots.yaml', 'robots: ['], ['state/keys/token.pem', 'x']] as const) await writeFile(join(first.dir, name), text)
  await until(() => names(first).length === 2 && first.mistakes.length === 3 ? true : undefined)
  const second = await another(t, first)
  t.strictSame(names(second), ['alice', 'ci'])
  await writeFile(join(first.dir, 'accounts.yaml'), users('alice', 'bob', 'carol'))
  await until(() => second.mistakes.length === 3 ? true : undefined)
  t.strictSame(second.mistakes, first.mistakes)
  t.strictSame([names(first), names(second)], [['alice', 'ci'], ['alice', 'ci']])
  await writeFile(join(first.dir, 'chartgate.yaml'), CONFIG)
  await writeFile(join(first.dir, 'robots.yaml'), '')
  await until(() => names(first).length === 3 && names(second).length === 3 ? true : undefined)
})

await t.test('without a file of its own it looks at what it is named', async t => {
  const dir = testFolder(t)
  const env = { CHARTGATE_STATE_DIR: join(dir, 'state') }
  const loaded = await loadConfig(undefined, env)
  if (!loaded.ok) throw new Error('defaults')
  const [authority, keys] = [await openAuthority(loaded.config), await openKeys(loaded.config)]
  if (!authority.ok || !keys.ok) throw new Error('they are right')
  const message = inForce({ authority: authority.opened, keys: keys.opened, tls: NO_TLS, federation: { live: createLive(NO_FEDERATION), stamps: new Map() }, revocations: { held: createRevocations(CLOCK), stamps: new Map() } }, { newest: () => ({ config: loaded.config }) })
  t.strictSame([...(await beginWith(message)).authority.stamps], [[join(dir, 'state/keys'), ''], [join(dir, 'state/keys/token.pem'), ''], [join(dir, 'state/revoked'), '']])
})
