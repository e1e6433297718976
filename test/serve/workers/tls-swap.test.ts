// A new certificate in every worker: by the links that Kubernetes exchanges, and by files
// that are written over and SIGHUP. Real processes, with connections open in each of them.
import { copyFile, mkdir, rename, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { Authority, type Issued } from '../../helpers/certificates.ts'
import { runChartgate, startGateway, type Gateway } from '../../helpers/gateway.ts'
import { temporaryFolder } from '../../helpers/processes.ts'
import { tlsClient, type TlsAnswer, type TlsClient } from '../../helpers/tls-client.ts'
import { until, untilTrue } from '../../helpers/until.ts'
import { childrenOf } from '../../helpers/unread.ts'

const WORKERS = 2
const dir = await temporaryFolder(t)
const authority = Authority.make(join(dir, 'ca'))
const [first, second, third] = ['first', 'second', 'third'].map(name => authority.issue({ subject: `/CN=${name}` })) as [Issued, Issued, Issued]

/** As a secret is mounted: tls.crt leads through ..data into a folder that is never changed. */
async function putInPlace (name: string, { cert, key }: Issued): Promise<void> {
  await mkdir(join(dir, name))
  await copyFile(cert, join(dir, name, 'tls.crt'))
  await copyFile(key, join(dir, name, 'tls.key'))
  await symlink(name, join(dir, '..data_tmp'))
  await rename(join(dir, '..data_tmp'), join(dir, '..data'))
}

function linesOf (gateway: Gateway): readonly Record<string, unknown>[] {
  return gateway.stdout().split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line) as Record<string, unknown>)
}

/** Which processes have said so; each line has the pid of who wrote it. */
function whoSaid (gateway: Gateway, msg: string): number[] {
  return [...new Set(linesOf(gateway).filter(line => line['msg'] === msg).map(({ pid }) => pid as number))].sort()
}

await putInPlace('one', first)
for (const file of ['tls.crt', 'tls.key']) await symlink(join('..data', file), join(dir, file))
const gateway = await startGateway(t, { workers: WORKERS, listen: { tls: { cert: join(dir, 'tls.crt'), key: join(dir, 'tls.key') } } })
await untilTrue(async () => (await fetch(`${gateway.adminUrl}/readyz`)).ok)
const url = gateway.url.replace('http:', 'https:')
const workers = (await childrenOf(gateway.pid)).sort()
const ask = async (client: TlsClient): Promise<TlsAnswer> => await client.ask(`${url}/org1/repo1/index.yaml`)

/** Connections that are open in each worker: the line of a refusal says in which. */
const open: TlsClient[] = []
await until(async () => {
  const client = tlsClient(t, { ca: authority.certText })
  open.push(client)
  await ask(client)
  return whoSaid(gateway, 'refused').length === WORKERS ? true : undefined
})

/** Waits until it is read, and looks at what old and new connections get. */
async function swapped (t: Tap, to: string, times: number): Promise<void> {
  await untilTrue(() => linesOf(gateway).filter(line => line['msg'] === 'certificates were read again').length === times)
  t.match(await runChartgate(['reload', '--state-dir', gateway.stateDir]), { code: 0, stdout: /nothing has changed since/ })
  t.same(whoSaid(gateway, 'certificates were read again'), [gateway.pid], 'by the first process alone')
  const before = await Promise.all(open.map(ask))
  t.same(before.map(({ status, peer, reused }) => ({ status, peer, reused })), before.map(() => ({ status: 401, peer: 'first', reused: true })), 'no connection was closed')
  const later = await Promise.all(Array.from({ length: 16 }, async () => await ask(tlsClient(t, { ca: authority.certText }))))
  t.same([...new Set(later.map(({ peer }) => peer))], [to])
}

type Tap = typeof t

await t.test('links that are exchanged', async t => {
  t.same(whoSaid(gateway, 'refused'), workers, 'each worker has connections')
  await putInPlace('two', second)
  await swapped(t as Tap, 'second', 1)
})

await t.test('files that are written over, and SIGHUP', async t => {
  await copyFile(third.cert, join(dir, 'two', 'tls.crt'))
  await copyFile(third.key, join(dir, 'two', 'tls.key'))
  process.kill(gateway.pid, 'SIGHUP')
  await swapped(t as Tap, 'third', 2)
  t.same(await childrenOf(gateway.pid).then(all => all.sort()), workers, 'by the same processes')
})
