// Reload after reload under a load of all kinds, with two workers: whatever changes, nobody is
// refused who should not be, what is taken away is refused at once, and nothing grows.
import { randomUUID } from 'node:crypto'
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { digestOf, makeSecret } from '../../src/identity/sources/robot-secret.ts'
import { askReload } from '../../src/serve/control.ts'
import { controlSocket } from '../../src/serve/state-dir.ts'
import { Authority } from '../helpers/certificates.ts'
import { serveFile, type Gateway } from '../helpers/gateway.ts'
import { INSPECTABLE } from '../helpers/live-memory.ts'
import { freePorts, temporaryFolder, type TestLike } from '../helpers/processes.ts'
import { newMasterKey, recordSecret } from '../helpers/secrets.ts'
import { tlsClient } from '../helpers/tls-client.ts'
import { untilTrue } from '../helpers/until.ts'
import { readChildren } from '../properties/neighbours/proc.ts'
import { watchGrowth } from './growth.ts'
import { startRepository } from './lab.ts'
import { damage, startLoad, type LoadTarget } from './load.ts'

export interface ReloadsOptions {
  readonly count: number
  readonly say: (line: string) => void
}

/** Reloads after which a process has made what it makes once. */
const WARM = 200
/** Of what it had in use then, what it may have in the end: a request that runs has some of it. */
const MOST = 1.1

interface Lab {
  readonly gateway: Gateway
  readonly target: LoadTarget
  readonly socket: string
  /** Each changes something, and says whether what it took away is refused. */
  readonly changes: readonly ((round: number) => Promise<() => Promise<string[]>>)[]
}

const NOTHING_TO_SEE = async (): Promise<string[]> => []

/** @returns what was found, nothing if all is well */
export async function reloads (t: TestLike, { count, say }: ReloadsOptions): Promise<string[]> {
  const { gateway, target, socket, changes } = await open(t)
  const workers = await readChildren(gateway.pid)
  const growth = await watchGrowth(t, () => gateway, { most: MOST, say })
  const load = await startLoad(target, { slow: 500 })
  const found: string[] = []
  for (let round = 1; round <= count; round++) {
    const look = await (changes[round % changes.length] as Lab['changes'][number])(round)
    const asked = await askReload(socket)
    if (!asked.ok) found.push(`reload ${round}: ${asked.why}`)
    else if (asked.reread.mistakes.length + asked.reread.silent.length > 0) found.push(`reload ${round}: ${JSON.stringify(asked.reread)}`)
    found.push(...(await look()).map(each => `reload ${round}: ${each}`))
    if (round === WARM) await growth.measure(0)
    if (round % Math.ceil(count / 10) === 0) say(`${round} reloads; ${load.answered()} answered, ${load.wrong.length} wrong${[...load.wrong, ...found].map(each => `\n  ${each}`).join('')}`)
  }
  await load.stop()
  found.push(...load.wrong, ...await damage(target, load), ...await growth.found())
  if (`${await readChildren(gateway.pid)}` !== `${workers}`) found.push('a worker was replaced')
  return found
}

async function open (t: TestLike): Promise<Lab> {
  const folder = await temporaryFolder(t)
  const authority = Authority.make(join(folder, 'ca'))
  const [port] = await freePorts(1) as [number]
  const repository = await startRepository(t, join(folder, 'charts'))
  const secret = recordSecret(makeSecret())
  const config = {
    workers: 2,
    publicUrl: `https://localhost:${port}`,
    listen: { tls: { cert: 'pair/cert.pem', key: 'pair/key.pem' } },
    masterKey: newMasterKey(),
    log: { level: 'info' },
    limits: { logins: { perAddress: 1_000_000 } },
    upstream: { url: repository.origin, auth: 'none' },
    accounts: { files: ['accounts.yaml'] },
    policy: [{ repositories: ['**'], subjects: ['robot:load'], actions: ['pull', 'push', 'overwrite', 'delete'] }]
  }
  const write = async (name: string, value: object): Promise<void> => {
    await writeFile(join(folder, `${name}.new`), stringify(value))
    await rename(join(folder, `${name}.new`), join(folder, name))
  }
  const robot = (name: string, its: string): object => ({ name, secrets: [{ hash: `sha256:${digestOf(its)}`, expires: '2099-01-01' }] })
  const pairs = [authority.issue(), authority.issue()]
  /** As Kubernetes changes a mounted secret: a link is exchanged. */
  const swap = async (round: number): Promise<void> => {
    const { certText, keyText } = pairs[round % 2] as typeof pairs[number]
    const name = `pair-${randomUUID()}`
    await mkdir(join(folder, name))
    await writeFile(join(folder, name, 'cert.pem'), certText)
    await writeFile(join(folder, name, 'key.pem'), keyText)
    await symlink(name, join(folder, `${name}.link`))
    await rename(join(folder, `${name}.link`), join(folder, 'pair'))
  }
  await write('accounts.yaml', { robots: [robot('load', secret)] })
  await write('chartgate.yaml', config)
  await swap(0)
  const stateDir = join(folder, 'state')
  const gateway = await serveFile(t, { file: join(folder, 'chartgate.yaml'), port, stateDir, env: INSPECTABLE, keep: 100_000 })
  await untilTrue(async () => await fetch(`${gateway.adminUrl}/readyz`).then(({ ok }) => ok, () => false))
  const url = `https://127.0.0.1:${port}`
  const { ask } = tlsClient(t, { ca: authority.certText })
  /** Of several connections, so that both workers have some. */
  const statusOf = async (key: string): Promise<unknown[]> => await Promise.all(Array.from({ length: 6 }, async () => {
    return (await ask(`${url}/org1/repo1/index.yaml`, { headers: { authorization: `Bearer ${key}`, connection: 'close' } })).status
  }))
  const looks = (key: string, wanted: number) => async (): Promise<string[]> => {
    const statuses = await statusOf(key)
    return statuses.every(status => status === wanted) ? [] : [`${statuses.join(', ')}, and not ${wanted}`]
  }
  return {
    gateway,
    target: { url, ca: Buffer.from(authority.certText), key: secret, tenant: 'org1/repo1' },
    socket: controlSocket(stateDir) as string,
    changes: [
      async () => {
        const before = config.masterKey
        await write('chartgate.yaml', Object.assign(config, { masterKey: newMasterKey() }))
        const [old, now] = [looks(before, 401), looks(config.masterKey, 200)]
        return async () => [...await old(), ...await now()]
      },
      async round => {
        const guest = recordSecret(makeSecret())
        await write('accounts.yaml', { robots: [robot('load', secret), robot(`guest-${round}`, guest)] })
        await write('chartgate.yaml', { ...config, policy: [...config.policy, { repositories: ['org1/*'], subjects: [`robot:guest-${round}`], actions: ['pull'] }] })
        return looks(guest, 200)
      },
      async () => {
        await write('accounts.yaml', { robots: [robot('load', secret)] })
        await write('chartgate.yaml', config)
        return NOTHING_TO_SEE
      },
      async round => {
        await write('chartgate.yaml', Object.assign(config, { log: { level: round % 2 === 0 ? 'info' : 'warn' }, limits: { logins: { perAddress: 1_000_000 - round } } }))
        return NOTHING_TO_SEE
      },
      async round => {
        await swap(round)
        return looks(config.masterKey, 200)
      }
    ]
  }
}
