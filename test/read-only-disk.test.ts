// A disk that is mounted read-only: what the person who started chartgate reads, and what
// a client and the log are told when it becomes so later.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { runChartgate, startGateway } from './helpers/gateway.ts'
import { chartOf } from './helpers/packages.ts'
import { freePorts, startProcess } from './helpers/processes.ts'
import { mountDisk, NO_DISK } from './helpers/read-only.ts'
import { ask, KEY, linesOf } from './helpers/several.ts'
import { untilTrue } from './helpers/until.ts'
import { WORKER_COUNTS } from './helpers/in-short.ts'

const skip = NO_DISK ?? false

await t.test('a start says that the disk is read-only, whose it is, and what to do', { skip }, async t => {
  const { dir, mount } = await mountDisk(t)
  await mkdir(join(dir, 'there', 'run'), { recursive: true })
  await mount('ro')
  const serve = async (stateDir: string, workers = 1): Promise<string> => {
    const [port, adminPort] = await freePorts(2)
    const { code, stdout, stderr } = await runChartgate(['serve'], { CHARTGATE_WORKERS: String(workers), CHARTGATE_LISTEN_PORT: String(port), CHARTGATE_ADMIN_PORT: String(adminPort), CHARTGATE_STATE_DIR: stateDir })
    t.same([code, stdout], [1, ''])
    return stderr
  }
  const sentence = /^chartgate: stateDir \S+ cannot be written, because its disk is mounted read-only \(\S+\): mount one there that can be written, or choose another stateDir\n$/
  t.match(await serve(dir), sentence)
  t.match(await serve(join(dir, 'there')), sentence)
  t.match(await serve(join(dir, 'there'), 2), sentence)
  t.match(await serve(join(dir, 'not', 'there')), sentence)

  const keys = await runChartgate(['keys', 'export'], { CHARTGATE_STATE_DIR: dir })
  t.same([keys.code, keys.stderr], [1, `chartgate: the keys in ${dir}/keys cannot be used: its disk is mounted read-only, and no key can be made there: mount one that can be written, put the keys there, or choose another stateDir\n`])
  const repository = await runChartgate(['repository', '--dir', join(dir, 'there'), '--port', '0', '--depth', '2'])
  t.same([repository.code, repository.stderr], [1, `chartgate: the chart folder ${dir}/there cannot be used: its disk is mounted read-only: mount one there that can be written, or choose another folder\n`])
})

await t.test('one that becomes read-only refuses uploads with that reason, and answers reads', { skip }, async t => {
  for (const workers of WORKER_COUNTS) {
    const { dir, mount } = await mountDisk(t)
    const gateway = await startGateway(t, { masterKey: KEY, workers }, { stateDir: join(dir, 'state') })
    await untilTrue(async () => (await fetch(`${gateway.adminUrl}/readyz`)).ok)
    const push = async (version: string): ReturnType<typeof ask> => await ask(gateway, '/api/org1/repo1/charts', { method: 'POST', body: await chartOf('mychart', version) })
    t.equal((await push('1.0.0')).status, 201)
    await mount('ro')
    t.same(await push('1.0.1'), { status: 507, body: '{"error":"uploads cannot be stored: the disk of the gateway is read-only"}' })
    await untilTrue(() => linesOf(gateway.stdout()).some(({ reason }) => reason === 'spool_read_only'))
    t.match(linesOf(gateway.stdout()).find(({ reason }) => reason === 'spool_read_only'), { level: 'warn', status: 507, err: { code: 'EROFS' } })
    t.match((await ask(gateway, '/org1/repo1/index.yaml')).body, 'mychart-1.0.0.tgz')
    await mount('rw')
    t.equal((await push('1.0.1')).status, 201, 'and takes them again as soon as it can be written')
  }
})

await t.test('so does the embedded repository alone', { skip }, async t => {
  const { dir, mount } = await mountDisk(t)
  const [port] = await freePorts(1)
  const url = `http://127.0.0.1:${port}`
  const { stdout } = await startProcess(t, process.execPath, ['dist/src/cli.js', 'repository', '--dir', join(dir, 'charts'), '--port', String(port), '--depth', '2'], { readyUrl: `${url}/health` })
  await mount('ro')
  const answer = await ask({ url }, '/api/org1/repo1/charts', { method: 'POST', body: await chartOf('mychart', '1.0.0') })
  t.same(answer, { status: 507, body: '{"error":"the disk for charts is read-only"}' })
  await untilTrue(() => stdout().includes('EROFS'))
  await mount('rw')
})
