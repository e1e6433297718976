// Certificates in files of other names, in every worker of a running gateway. Real processes,
// with connections open in each of them.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { Authority, type Issued } from '../../helpers/certificates.ts'
import { runChartgate, serveFile } from '../../helpers/gateway.ts'
import { temporaryFolder, type RunResult } from '../../helpers/processes.ts'
import { tlsClient } from '../../helpers/tls-client.ts'
import { until, untilTrue } from '../../helpers/until.ts'
import { childrenOf } from '../../helpers/unread.ts'

const WORKERS = 2
const dir = await temporaryFolder(t)
const file = join(dir, 'chartgate.yaml')
const authority = Authority.make(join(dir, 'ca'))
const [first, second] = ['first', 'second'].map(name => authority.issue({ subject: `/CN=${name}` })) as [Issued, Issued]
const named = ({ cert, key }: Pick<Issued, 'cert' | 'key'>, more = {}): object => ({ cert, key, ...more })
const write = async (tls: object): Promise<void> => { await writeFile(file, stringify({ workers: WORKERS, listen: { tls } })) }

await write(named(first))
const gateway = await serveFile(t, { file })
await untilTrue(async () => (await fetch(`${gateway.adminUrl}/readyz`)).ok)
const url = `${gateway.url.replace('http:', 'https:')}/org1/repo1/index.yaml`
const workers = await childrenOf(gateway.pid)
const reload = async (tls: object): Promise<RunResult> => {
  await write(tls)
  return await runChartgate(['reload', '--state-dir', gateway.stateDir])
}
/** What sixteen new connections are shown, which come to all workers. */
async function shown (t: Test, more = {}): Promise<unknown[]> {
  const answers = await Promise.all(Array.from({ length: 16 }, async () => {
    return await tlsClient(t, { ca: authority.certText, ...more }).ask(url).then(({ peer }) => peer, (error: Error) => /alert protocol version/.exec(error.message)?.[0] ?? error.message)
  }))
  return [...new Set(answers)]
}

const open = Array.from({ length: 8 }, () => tlsClient(t, { ca: authority.certText, maxVersion: 'TLSv1.2' }))
await Promise.all(open.map(async client => await client.ask(url)))

await t.test('new connections get the certificate of the other file, and open ones stay', async t => {
  t.match(await reload(named(second)), { code: 0, stdout: /listen\.tls\.cert, listen\.tls\.key$/m, stderr: '' })
  t.same(await shown(t), ['second'])
  t.same(await childrenOf(gateway.pid), workers, 'by the same processes')
})

await t.test('the least version of TLS is another one for new connections', async t => {
  t.match(await reload(named(second, { minVersion: '1.3' })), { code: 0, stdout: /listen\.tls\.minVersion$/m })
  t.same(await shown(t, { maxVersion: 'TLSv1.2' }), ['alert protocol version'])
  t.same(await shown(t), ['second'])
  const before = await Promise.all(open.map(async client => await client.ask(url)))
  t.same(before.map(({ peer, reused }) => ({ peer, reused })), before.map(() => ({ peer: 'first', reused: true })), 'no connection was closed')
})

await t.test('with a pair that does not fit all goes on as before, also in a worker that begins then', async t => {
  const broken = await reload(named({ cert: first.cert, key: second.key }))
  t.match(broken, { code: 1, stderr: /listen\.tls: .* is not the key of the certificate in / })
  t.notMatch(broken.stdout, 'changed: ')
  process.kill(workers[0] as number, 'SIGKILL')
  await until(async () => {
    const now = await childrenOf(gateway.pid)
    return now.length === WORKERS && !now.includes(workers[0] as number) ? true : undefined
  })
  await untilTrue(async () => await fetch(`${gateway.adminUrl}/readyz?verbose`).then(async answer => (await answer.text()).includes('listeners and workers: ok')))
  process.kill(workers[1] as number, 'SIGSTOP') // so that the new one answers
  t.same(await shown(t), ['second'])
  process.kill(workers[1] as number, 'SIGCONT')
  t.same(await shown(t, { maxVersion: 'TLSv1.2' }), ['alert protocol version'])
  t.match(await reload(named(first)), { code: 0, stdout: /listen\.tls\.cert, listen\.tls\.key, listen\.tls\.minVersion$/m })
  t.same(await shown(t), ['first'])
})

await t.test('without TLS, and with authorities of clients, it is after a restart', async t => {
  t.match(await reload({}), { code: 0, stderr: /restart to apply: listen\.tls\.cert, listen\.tls\.key/ })
  t.match(await reload(named(second, { clientCa: authority.cert })), { code: 0, stdout: /listen\.tls\.cert, listen\.tls\.key$/m, stderr: /restart to apply: listen\.tls\.clientCa/ })
  t.same(await shown(t), ['second'])
})
