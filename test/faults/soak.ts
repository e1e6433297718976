// For as long as somebody likes: a load of all kinds, and faults of everything around the
// gateway at random. What is wrong in the end: answers, damaged charts, memory, descriptors.
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { startFaultyUpstream, type Fault, type FaultyUpstream } from '../helpers/faulty-upstream.ts'
import { runChartgate, serveFile, type Gateway } from '../helpers/gateway.ts'
import { INSPECTABLE } from '../helpers/live-memory.ts'
import { mountDisk, NO_DISK } from '../helpers/read-only.ts'
import { freePorts, temporaryFolder, type TestLike } from '../helpers/processes.ts'
import { newMasterKey } from '../helpers/secrets.ts'
import { untilTrue } from '../helpers/until.ts'
import { readChildren } from '../properties/neighbours/proc.ts'
import { createRandom, type Random } from '../properties/neighbours/random.ts'
import { watchGrowth } from './growth.ts'
import { startRepository, type RepositoryProcess } from './lab.ts'
import { damage, startLoad, type LoadTarget } from './load.ts'

export interface SoakOptions {
  readonly minutes: number
  readonly seed: number
  readonly say: (line: string) => void
}

interface Lab {
  readonly gateway: () => Gateway
  readonly between: FaultyUpstream
  readonly file: string
  /** The folder of the audit log: a disk of its own, where one can be mounted. */
  readonly auditDir: string
  /** Lets everyone read the index of one tenant more, and says which. */
  change (): Promise<string>
  readonly pick: Random['pick']
  readonly percent: Random['percent']
  readonly target: LoadTarget
  workers (): Promise<number[]>
  repository: RepositoryProcess
  restartGateway (): Promise<void>
  restartRepository (): Promise<void>
}

const WIRE: readonly Fault[] = ['500', 'cut', 'lost', 'reset_in_head', 'reset_in_body', 'garbage', 'too_short', 'long_head', 'hang', 'slow_head', 'slow_body']
const TIMES = [200, 500, 1_000, 3_000]
/** Milliseconds after a fault in which a client may still be told of it: the pause of the breaker, and a look. */
const AFTERMATH = 2_500
/** From when on the memory of a process counts. */
const WARM = 5 * 60_000
/** Of what it had in use then, what it may have in the end. */
const MOST = 1.2

/** What goes wrong, until it does not any more. */
const FAULTS: Readonly<Record<string, (lab: Lab) => Promise<unknown>>> = {
  async wire ({ between, pick, percent }) {
    const fault = pick(WIRE)
    between.fault = () => percent(50) ? fault : undefined
    await sleep(pick(TIMES))
    between.fault = () => undefined
  },
  async away ({ between, pick }) {
    await between.leave()
    await sleep(pick(TIMES))
    await between.comeBack()
  },
  stopRepository: async ({ repository, pick }) => { await pause(repository.pid, pick(TIMES)) },
  killRepository: async lab => { await lab.restartRepository() },
  stopWorker: async ({ workers, pick }) => { await pause(pick(await workers()), pick(TIMES.slice(0, 3))) },
  async killWorker ({ workers, pick }) {
    const all = await workers()
    process.kill(pick(all), 'SIGKILL')
    await untilTrue(async () => (await workers()).length === all.length)
  },
  killGateway: async lab => { await lab.restartGateway() },
  reload: async ({ gateway }) => process.kill(gateway().pid, 'SIGHUP'),
  async reloadWithChange ({ gateway, change, target }) {
    const tenant = await change()
    process.kill(gateway().pid, 'SIGHUP')
    await untilTrue(async () => await fetch(`${target.url}/${tenant}/index.yaml`).then(({ status }) => status === 200))
  },
  async fullAuditDisk ({ gateway, auditDir, pick }) {
    if (NO_DISK !== undefined) return
    const filler = join(auditDir, 'filler')
    await writeFile(filler, Buffer.alloc(80 * 1024 ** 2)).catch(() => {}) // as much as fits
    await sleep(pick(TIMES))
    await rm(filler)
    // As a rotation does, so that the disk is not full for another reason.
    await rm(join(auditDir, 'audit.log'))
    process.kill(gateway().pid, 'SIGHUP')
  },
  rotate: async ({ gateway, file }) => await runChartgate(['keys', 'rotate', '--config', file], { CHARTGATE_STATE_DIR: gateway().stateDir })
}

async function pause (pid: number, ms: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  await sleep(ms)
  process.kill(pid, 'SIGCONT')
}

/** @returns what was found, nothing if all is well */
export async function soak (t: TestLike, { minutes, seed, say }: SoakOptions): Promise<string[]> {
  const lab = await open(t, seed)
  const { target } = lab
  const growth = await watchGrowth(t, lab.gateway, { most: MOST, say })
  let faultEnded = -Infinity
  let isFaulty = false
  const load = await startLoad(target, { mayFail: since => isFaulty || since < faultEnded + AFTERMATH, slow: 1_000 })
  const since = Date.now()
  const end = since + minutes * 60_000
  while (Date.now() < end) {
    const name = lab.pick(Object.keys(FAULTS))
    say(`${Math.round((Date.now() - since) / 1000)} s: ${name}; ${load.answered()} answered, ${load.wrong.length} wrong`)
    isFaulty = true
    await FAULTS[name]?.(lab)
    faultEnded = performance.now()
    isFaulty = false
    await sleep(AFTERMATH + lab.pick(TIMES))
    await growth.measure(Math.min(WARM, minutes * 30_000))
  }
  await load.stop()
  const found = [...load.wrong, ...await damage(target, load), ...await growth.found()]
  say(`${load.answered()} answered, ${load.stored.size} charts stored`)
  return found
}

async function open (t: TestLike, seed: number): Promise<Lab> {
  const { pick, percent } = createRandom(seed)
  const [folder, key] = [await temporaryFolder(t), newMasterKey()]
  const [port] = await freePorts(1) as [number]
  const dir = join(folder, 'charts')
  const repository = await startRepository(t, dir)
  const between = await startFaultyUpstream(t, repository.origin)
  const file = join(folder, 'chartgate.yaml')
  const auditDir = NO_DISK === undefined ? (await mountDisk(t)).dir : folder
  const open: string[] = []
  const write = async (): Promise<void> => {
    const policy = open.map(tenant => ({ repositories: [tenant], subjects: ['anonymous'], actions: ['pull'] }))
    const audit = { file: join(auditDir, 'audit.log') }
    await writeFile(file, stringify({ workers: 2, masterKey: key, upstream: { url: between.origin, auth: 'none' }, audit, policy }))
  }
  await write()
  const start = async (): Promise<Gateway> => {
    const started = await serveFile(t, { file, port, stateDir: join(folder, 'state'), env: INSPECTABLE, keep: 100_000 })
    await untilTrue(async () => await fetch(`${started.adminUrl}/readyz`).then(({ ok }) => ok, () => false))
    return started
  }
  let gateway = await start()
  const lab: Lab = {
    target: { url: `http://127.0.0.1:${port}`, key, tenant: 'org1/repo1' },
    file,
    auditDir,
    async change () {
      const tenant = `soak/n${open.length}`
      open.push(tenant)
      await write()
      return tenant
    },
    between,
    repository,
    gateway: () => gateway,
    pick,
    percent,
    workers: async () => await readChildren(gateway.pid),
    async restartGateway () {
      process.kill(gateway.pid, 'SIGKILL')
      await gateway.ended
      gateway = await start()
    },
    async restartRepository () {
      process.kill(lab.repository.pid, 'SIGKILL')
      await lab.repository.ended
      lab.repository = await startRepository(t, dir, { port: repository.port })
    }
  }
  return lab
}
