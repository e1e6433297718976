// Two gateways behind a real HAProxy, restarted one after the other under a load of all
// kinds: nobody may notice.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { inShort } from '../helpers/in-short.ts'
import { notTried } from '../helpers/not-tried.ts'
import { freePorts, startProcess, temporaryFolder, type StartedProcess } from '../helpers/processes.ts'
import { lacking, startProxy } from '../helpers/proxies.ts'
import { keepLog, newMasterKey } from '../helpers/secrets.ts'
import { untilTrue } from '../helpers/until.ts'
import { startRepository } from './lab.ts'
import { damage, startLoad } from './load.ts'

/** Restarts of each of the two. */
const ROUNDS = inShort(1, 7)

interface Member {
  readonly port: number
  readonly adminPort: number
  readonly file: string
  process: StartedProcess
}

async function ready ({ adminPort }: Pick<Member, 'adminPort'>): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${adminPort}/readyz`).then(({ ok }) => ok, () => false)
}

async function startMember (t: Test, config: object): Promise<Member> {
  const [port, adminPort] = await freePorts(2) as [number, number]
  const folder = await temporaryFolder(t)
  const file = join(folder, 'chartgate.yaml')
  await writeFile(file, stringify({ ...config, listen: { port }, admin: { port: adminPort }, stateDir: join(folder, 'state') }))
  const place = { port, adminPort, file }
  return { ...place, process: await launch(t, place) }
}

async function launch (t: Test, { file, adminPort }: Omit<Member, 'process'>): Promise<StartedProcess> {
  const started = await startProcess(t, process.execPath, ['dist/src/cli.js', 'serve', '--config', file], { readyUrl: `http://127.0.0.1:${adminPort}/readyz` })
  t.teardown(() => { keepLog(started.stdout() + started.stderr()) })
  return started
}

async function roll (t: Test): Promise<void> {
  const repository = await startRepository(t, join(await temporaryFolder(t), 'charts'))
  const masterKey = newMasterKey()
  const config = { masterKey, workers: inShort(1, 2), drain: { delay: '2s' }, upstream: { url: repository.origin, auth: 'none' } }
  const members = [await startMember(t, config), await startMember(t, config)] as const
  const [first, second] = members
  const checked = (name: string, { port, adminPort }: Member): string => `  server ${name} 127.0.0.1:${port} check port ${adminPort} inter 250ms fall 2 rise 1`
  const [statsPort] = await freePorts(1) as [number]
  /** What HAProxy itself says of each (its management guide, section 9.1, CSV format). */
  const areUp = async (): Promise<boolean> => {
    const text = await (await fetch(`http://127.0.0.1:${statsPort}/;csv`)).text()
    return text.split('\n').filter(line => /^chartgate,(?:chartgate|other),/.test(line) && /,UP,/.test(line)).length === 2
  }
  const proxy = await startProxy(t, 'haproxy', {
    gatewayPort: first.port,
    edits: [['  server chartgate 127.0.0.1:5001', `  option httpchk GET /readyz\n  timeout check 5s\n${checked('chartgate', { ...first, port: 5001 })}\n${checked('other', second)}\n\nfrontend stats\n  bind 127.0.0.1:${statsPort}\n  stats enable\n  stats uri /`]]
  })
  const target = { url: proxy.url, ca: await readFile(proxy.ca), key: masterKey, tenant: 'org1/repo1' }
  const load = await startLoad(target, { slow: inShort(1_000, 3_000) })
  await untilTrue(() => load.answered() > 50)
  for (let round = 0; round < ROUNDS; round++) {
    for (const member of members) {
      await untilTrue(areUp)
      const before = load.answered()
      process.kill(member.process.pid, 'SIGTERM')
      await untilTrue(async () => !await ready(member))
      t.equal(await member.process.ended, 0)
      member.process = await launch(t, member)
      t.ok(load.answered() > before, 'the other one serves meanwhile')
    }
  }
  await untilTrue(areUp)
  await load.stop()
  t.same(load.wrong, [])
  t.ok(load.stored.size > 5)
  t.ok((load.counts.get('slow push') ?? 0) >= 2 * ROUNDS, 'uploads that were on their way')
  t.same(await damage(target, load), [])
  for (const { process: { stdout } } of members) t.notMatch(stdout(), 'cut off')
}

const reason = await lacking('haproxy')
if (reason === undefined) await t.test('a rolling restart behind HAProxy under load fails no request, and loses no chart', { timeout: 180_000 }, roll)
else await notTried(t, 'a rolling restart behind HAProxy', reason)
