// The gateway under test in processes of its own, with or without a ChartMuseum behind it,
// and what those who come to it are told.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startChartMuseum } from '../../helpers/chartmuseum.ts'
import { startGateway } from '../../helpers/gateway.ts'
import { temporaryFolder, type TestLike } from '../../helpers/processes.ts'
import { recordToken } from '../../helpers/secrets.ts'
import { until } from '../../helpers/until.ts'
import { ask, basic } from './ask.ts'
import { inviteCast, scopesOf, type Account, type Cast } from './cast.ts'
import { fillShelves } from './shelf.ts'

export interface Setup {
  readonly workers: number
  /** A ChartMuseum's program, or the embedded repository. */
  readonly program: string | undefined
}

/** Somebody with an account, and a token for everything that it may do. */
export interface Member extends Account { readonly token: string }

export interface Lab {
  readonly setup: Setup
  readonly port: number
  /** The process that was started; the workers are its children. */
  readonly pid: number
  readonly museum: { readonly pid: number, readonly port: number } | undefined
  /** Where charts lie, and where uploads wait. */
  readonly folders: { readonly charts: string, readonly spool: string }
  readonly neighbour: Member
  readonly guests: readonly Account[]
  readonly hostile: readonly Member[]
  /** The end of what it logged. */
  log (): string
  /** What /readyz answers. */
  readiness (): Promise<number>
}

const KEPT_LOG = 256 * 1024

/** Starts it all; it is ready when this resolves. */
export async function openLab (t: TestLike, setup: Setup): Promise<Lab> {
  const cast = await inviteCast()
  const folder = await temporaryFolder(t)
  const accounts = join(folder, 'accounts.yaml')
  await writeFile(accounts, cast.accounts)
  const museum = setup.program === undefined ? undefined : await startChartMuseum(t, '', setup.program)
  const stateDir = museum?.stateDir ?? join(folder, 'state')
  const charts = museum?.storage ?? join(stateDir, 'charts')
  await fillShelves(charts)
  const gateway = await startGateway(t, {
    workers: setup.workers,
    ...(museum === undefined ? {} : { upstream: { url: museum.url } }),
    tokens: { ttl: '24h' },
    accounts: { files: [accounts] },
    policy: cast.policy
  }, { stateDir, keep: KEPT_LOG })
  const [port, adminPort] = [gateway.url, gateway.adminUrl].map(url => Number(new URL(url).port)) as [number, number]
  const readiness = async (): Promise<number> => (await ask({ port: adminPort, path: '/readyz' })).status
  await until(async () => await readiness() === 200 ? true : undefined)
  return {
    setup,
    port,
    pid: gateway.pid,
    museum: museum === undefined ? undefined : { pid: museum.pid, port: Number(new URL(museum.url).port) },
    folders: { charts, spool: join(stateDir, 'spool') },
    ...await withTokens(port, cast),
    log: () => gateway.stdout() + gateway.stderr(),
    readiness
  }
}

type Members = Pick<Lab, 'neighbour' | 'guests' | 'hostile'>

async function withTokens (port: number, { neighbour, guests, hostile }: Cast): Promise<Members> {
  const enrol = async (account: Account, side: 'near' | 'far'): Promise<Member> => {
    return { ...account, token: await tokenOf(port, account, side) }
  }
  return {
    neighbour: await enrol(neighbour, 'near'),
    guests,
    hostile: await Promise.all(hostile.map(async each => await enrol(each, 'far')))
  }
}

async function tokenOf (port: number, account: Account, side: 'near' | 'far'): Promise<string> {
  const path = `/oauth/token?${new URLSearchParams({ scope: scopesOf(side).join(' ') })}`
  const { status, body } = await ask({ port, path, headers: { authorization: basic(account) } })
  if (status !== 200) throw new Error(`no token for ${account.name}: ${status} ${body}`)
  return recordToken((JSON.parse(body) as { token: string }).token)
}
