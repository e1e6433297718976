// Under a load of all kinds each process is stopped for a while and killed, and the clock is
// set: what was answered 201 is there, nothing is there in part, and the next request works.
import { existsSync } from 'node:fs'
import { readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { serveFile, startGateway, type Gateway } from '../helpers/gateway.ts'
import { notTried } from '../helpers/not-tried.ts'
import { freePorts, temporaryFolder } from '../helpers/processes.ts'
import { askAs } from '../helpers/repositories.ts'
import { KEY, workersOf } from '../helpers/several.ts'
import { untilTrue } from '../helpers/until.ts'
import { nothingIsHeld, startRepository } from './lab.ts'
import { damage, startLoad, type Load } from './load.ts'

async function listens ({ adminUrl }: Pick<Gateway, 'adminUrl'>): Promise<void> {
  await untilTrue(async () => await fetch(`${adminUrl}/readyz`).then(({ ok }) => ok, () => false))
}

/** Waits until the load is answered again, by whoever is there now. */
async function goesOn (load: Load): Promise<void> {
  const at = load.answered()
  await untilTrue(() => load.answered() > at + 60)
}

await t.test('no process that is stopped or killed takes a chart with it, or leaves half of one', { timeout: 120_000 }, async t => {
  const dir = join(await temporaryFolder(t), 'charts')
  let repository = await startRepository(t, dir)
  const [port] = await freePorts(1) as [number]
  const config = { workers: 2, masterKey: KEY, upstream: { url: repository.origin, auth: 'none' } }
  const stateDir = join(await temporaryFolder(t), 'state')
  let gateway = await startGateway(t, config, { port, stateDir })
  await listens(gateway)
  const target = { url: `http://127.0.0.1:${port}`, key: KEY, tenant: 'org1/repo1' }
  const load = await startLoad(target, { mayFail: () => true, slow: 500 })
  await goesOn(load)

  const [victim, other] = workersOf(gateway.stdout()) as [number, number]
  process.kill(victim, 'SIGKILL')
  await untilTrue(() => workersOf(gateway.stdout()).length === 2 && !workersOf(gateway.stdout()).includes(victim))
  await goesOn(load)
  for (const pid of [other, repository.pid]) {
    process.kill(pid, 'SIGSTOP')
    await sleep(500)
    process.kill(pid, 'SIGCONT')
    await goesOn(load)
  }
  process.kill(repository.pid, 'SIGKILL')
  await repository.ended
  await sleep(300)
  repository = await startRepository(t, dir, { port: repository.port })
  await goesOn(load)
  process.kill(gateway.pid, 'SIGKILL')
  await gateway.ended
  gateway = await startGateway(t, config, { port, stateDir })
  await listens(gateway)
  await goesOn(load)

  await load.stop()
  t.same(load.wrong, [])
  t.ok(load.stored.size > 10)
  t.same(await damage(target, load), [])
  t.same(await nothingIsHeld(gateway), [])
})

/** Where Debian's package has it. */
const library = (await readdir('/usr/lib').catch(() => [])).map(folder => `/usr/lib/${folder}/faketime/libfaketime.so.1`).find(existsSync)

async function setTheClock (t: Test): Promise<void> {
  const folder = await temporaryFolder(t)
  const [file, clock] = [join(folder, 'chartgate.yaml'), join(folder, 'clock')]
  await writeFile(file, `workers: 2\nmasterKey: ${KEY}\n`)
  await writeFile(clock, '+0')
  const env = { LD_PRELOAD: library as string, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' }
  const gateway = await serveFile(t, { file, env })
  await listens(gateway)
  const url = gateway.url.replace('localhost', '127.0.0.1')
  const target = { url, key: KEY, tenant: 'org1/repo1' }
  const load = await startLoad(target, { slow: 500 })
  const dateOf = async (): Promise<number> => Date.parse((await fetch(`${url}/health`)).headers.get('date') as string)
  for (const minutes of [10, -10, 0]) {
    // At once for all processes, as a clock is set: half a file would be another time.
    await writeFile(`${clock}.new`, `${minutes < 0 ? '' : '+'}${minutes * 60}`)
    await rename(`${clock}.new`, clock)
    await untilTrue(async () => Math.abs(await dateOf() - Date.now() - minutes * 60_000) < 30_000)
    await goesOn(load)
    // What was on its way to the repository at that instant has a token of another time; HEAD is answered without words.
    const isOfThatInstant = (line: string): boolean => line.includes('does not accept the gateway') || line === 'head: 502 '
    t.same(load.wrong.splice(0).filter(line => !isOfThatInstant(line)), [], `${minutes} minutes`)
    const { bytes } = await askAs({ url, masterKey: KEY }, 'POST', '/oauth/token?grant_type=client_credentials&scope=artifact-repository:org1/repo1:pull')
    const { access_token: token } = JSON.parse(bytes.toString()) as { readonly access_token: string }
    t.equal((await askAs({ url, masterKey: token }, 'GET', '/org1/repo1/index.yaml')).status, 200, `${minutes} minutes: a new token counts`)
  }
  await load.stop()
  t.same(load.wrong, [])
  t.same(await damage(target, load), [])
}

if (library === undefined) await notTried(t, 'a clock that is set', 'libfaketime is not installed')
else await t.test('a clock that is set by ten minutes, forward and back, fails no request but those of that instant', { timeout: 120_000 }, setTheClock)
