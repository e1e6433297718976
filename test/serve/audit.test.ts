// The audit log of the built program: real files, real signals, the real logrotate, two
// workers, and what is left of a gateway that was killed.
import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import type { AuditEvent } from '../../src/observe/audit/schema.ts'
import { lostLine, openAudit, reportReload } from '../../src/serve/audit.ts'
import { auditLinesOf } from '../helpers/audit.ts'
import { DEMO, runChartgate, serveFile, startGateway, type Gateway } from '../helpers/gateway.ts'
import { WORKER_COUNTS } from '../helpers/in-short.ts'
import { notTried } from '../helpers/not-tried.ts'
import { chartOf } from '../helpers/packages.ts'
import { ROOT, findProgram, run, temporaryFolder, type TestLike } from '../helpers/processes.ts'
import { ask, KEY, startSeveral } from '../helpers/several.ts'
import { untilTrue } from '../helpers/until.ts'

const UPLOAD = '/api/org1/repo1/charts'

async function linesIn (file: string): Promise<AuditEvent[]> {
  return auditLinesOf(await readFile(file, 'utf8'))
}

/** A chart repository that takes what is pushed, and never says what became of it. */
async function startSilent (t: TestLike): Promise<{ readonly url: string, readonly pushes: () => number }> {
  let pushes = 0
  const server: Server = createServer((request, response) => {
    if (request.method === 'GET') {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}')
      return
    }
    request.resume().on('end', () => { pushes++ })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise(resolve => { server.close(resolve) })
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, pushes: () => pushes }
}

await t.test('the demo writes what changes and what is refused between the lines of its log', async t => {
  const gateway = await serveFile(t, { file: DEMO })
  t.equal((await ask(gateway, UPLOAD, { method: 'POST', key: 'MASTERKEY', body: await chartOf('mine', '1.0.0') })).status, 201)
  t.equal((await ask(gateway, UPLOAD, { key: 'nobodys-key' })).status, 401)
  await untilTrue(() => auditLinesOf(gateway.stdout()).length === 2)
  const [push, login] = auditLinesOf(gateway.stdout()) as [AuditEvent, AuditEvent]
  t.match(push, { action: 'push', outcome: 'success', actor: { subject: 'key:master', kind: 'key', method: 'bearer' }, tenant: 'org1/repo1', chart: 'mine', version: '1.0.0', file: 'mine-1.0.0.tgz', digest: /^[0-9a-f]{64}$/, rule: 'master key', client: { address: '127.0.0.1' }, upstream_status: 201 })
  t.match(login, { action: 'login', outcome: 'denied', reason: 'bad_credentials', actor: { subject: 'unknown', method: 'bearer' }, tenant: 'org1/repo1' })
})

await t.test('with two workers one process writes the file, and every line is whole', async t => {
  const file = join(await temporaryFolder(t), 'audit.log')
  const gateway = await startSeveral(t, { audit: { file, reads: true } })
  const asked = Array.from({ length: 200 }, async (_, i) => await ask(gateway, '/org1/repo1/index.yaml', i % 2 === 0 ? {} : { key: `wrong-${'x'.repeat(i)}` }))
  t.same(new Set((await Promise.all(asked)).map(({ status }) => status)), new Set([200, 401]))
  await untilTrue(async () => (await linesIn(file)).length >= 200)
  const lines = await linesIn(file)
  t.equal(lines.length, 200)
  t.equal(gateway.stderr(), '', 'nor does Node warn of anything')
  t.equal(new Set(lines.map(({ request_id: id }) => id)).size, 200)
  t.same((await readFile(file, 'utf8')).split('\n').filter(line => !line.startsWith('{')), [''])
  const loggedBy = new Set(gateway.log().filter(({ reqId }) => reqId !== undefined).map(({ pid }) => pid))
  t.equal(loggedBy.size, 2, 'both workers had some of it')
  t.equal(auditLinesOf(gateway.stdout()).length, 0)
})

for (const workers of WORKER_COUNTS) {
  await t.test(`what a gateway with ${workers} of them was doing when it was killed is an intent without an outcome`, async t => {
    const upstream = await startSilent(t)
    const folder = await temporaryFolder(t)
    const file = join(folder, 'audit.log')
    const gateway = await startGateway(t, { workers, masterKey: KEY, upstream: { url: upstream.url, auth: 'none' }, audit: { file, required: true } })
    if (workers > 1) await untilTrue(async () => (await fetch(`${gateway.adminUrl}/healthz`)).ok)
    const refused = await untilAnswered(gateway)
    t.equal(refused, 401)
    const pushing = ask(gateway, UPLOAD, { method: 'POST', body: await chartOf('mine', '1.0.0') }).catch(() => 'gone')
    await untilTrue(() => upstream.pushes() === 1)
    const before = await linesIn(file)
    t.match(before.at(-1), { phase: 'intent', action: 'push', chart: 'mine', version: '1.0.0', digest: /^[0-9a-f]{64}$/ }, 'on the disk before the repository has it')
    process.kill(gateway.pid, 'SIGKILL')
    t.equal(await pushing, 'gone')
    await gateway.ended
    const shown = await runChartgate(['audit', file])
    t.equal(shown.code, 0)
    t.match(shown.stdout, /\n[^\n]+ UNFINISHED {2}push +key:master +127\.0\.0\.1 +org1\/repo1 {2}mine 1\.0\.0 {2}by master key\n$/)
    t.match(shown.stdout, /denied +login +unknown/)
    const json = await runChartgate(['audit', '--unfinished', '--json', file])
    t.same(auditLinesOf(json.stdout).map(({ event_id: id }) => id), [before.at(-1)?.event_id])
  })
}

/** The status of a refusal, once somebody listens. */
async function untilAnswered (gateway: Gateway): Promise<number> {
  let status = 0
  await untilTrue(async () => {
    status = await ask(gateway, '/org1/repo1/index.yaml', { key: 'wrong' }).then(answer => answer.status, () => 0)
    return status !== 0
  })
  return status
}

await t.test('with audit.required a push has its intent and its outcome on the disk when it is answered', async t => {
  const file = join(await temporaryFolder(t), 'audit.log')
  const gateway = await startSeveral(t, { audit: { file, required: true } })
  const pushes = Array.from({ length: 8 }, async (_, i) => await ask(gateway, UPLOAD, { method: 'POST', body: await chartOf('mine', `1.0.${i}`) }))
  t.same(new Set((await Promise.all(pushes)).map(({ status }) => status)), new Set([201]))
  const lines = await linesIn(file) // without waiting
  t.equal(lines.length, 16)
  const outcomes = lines.filter(({ phase }) => phase === 'outcome').map(({ event_id: id, outcome }) => `${id} ${outcome}`)
  t.same(outcomes.sort(), lines.filter(({ phase }) => phase === 'intent').map(({ event_id: id }) => `${id} success`).sort())
  t.equal((await ask(gateway, `${UPLOAD}/mine/1.0.0`, { method: 'DELETE' })).status, 200)
  t.same((await linesIn(file)).slice(-2).map(({ phase, action }) => [phase, action]), [['intent', 'delete'], ['outcome', 'delete']])
  t.equal((await ask(gateway, `${UPLOAD}/mine/1.0.0`, { method: 'DELETE' })).status, 404)
  await untilTrue(async () => (await linesIn(file)).length === 20)
  t.match((await linesIn(file)).at(-1), { phase: 'outcome', outcome: 'failure', reason: 'not_in_upstream' })
})

await t.test('a full disk takes no change that has to be recorded, and says so', async t => {
  const folder = await temporaryFolder(t)
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder])
  if (mounted.code !== 0) return await notTried(t, 'a full disk', 'no file system can be mounted here')
  t.teardown(async () => { await run('umount', ['-l', folder]) })
  const file = join(folder, 'audit.log')
  const gateway = await startGateway(t, { masterKey: KEY, audit: { file, required: true } })
  const push = async (version: string): Promise<number> => (await ask(gateway, UPLOAD, { method: 'POST', body: await chartOf('mine', version) })).status
  t.equal(await push('1.0.0'), 201)
  await writeFile(join(folder, 'filler'), Buffer.alloc(64 * 1024)).catch(() => {})
  // What is left of the last page of the file is room for a few lines.
  const statuses: number[] = []
  for (let i = 0; i < 12; i++) statuses.push(await push(`2.0.${i}`))
  t.equal(statuses.at(-1), 503)
  t.equal((await ask(gateway, '/org1/repo1/index.yaml')).status, 200, 'a read is answered')
  t.match(gateway.stdout(), /"reason":"audit_unavailable"/)
  await untilTrue(() => gateway.stdout().includes('"code":"ENOSPC","lost":'))
  await run('rm', [join(folder, 'filler')])
  await untilTrue(async () => await push('3.0.0') === 201)
  const index = (await ask(gateway, '/org1/repo1/index.yaml')).body
  const done = auditLinesOf((await readFile(file, 'utf8'))).filter(({ action, outcome }) => action === 'push' && outcome === 'success')
  for (const { version } of done) t.match(index, `mine-${version}.tgz`)
  for (const [i, status] of statuses.entries()) if (status === 503) t.notMatch(index, `mine-2.0.${i}.tgz`)
  t.match(gateway.stdout(), 'the audit log is written again')
})

await t.test('the real logrotate loses no line under load', async t => {
  if (await findProgram('logrotate') === undefined) return await notTried(t, 'logrotate', 'it is not on the PATH')
  const folder = join(await temporaryFolder(t), 'log')
  await mkdir(folder)
  const file = join(folder, 'audit.log')
  const gateway = await startSeveral(t, { audit: { file, reads: true } })
  const example = await readFile(join(ROOT, 'deploy/logrotate/chartgate'), 'utf8')
  const rotation = `su root root\n${example.replace('/var/log/chartgate/audit.log', file).replace(/systemctl kill .*/, `kill -HUP ${gateway.pid}`)}`
  await writeFile(join(folder, '..', 'rotation'), rotation)
  const load = { isOver: false }
  let answered = 0
  const loaders = Promise.all(Array.from({ length: 4 }, async () => {
    while (!load.isOver) {
      await ask(gateway, '/org1/repo1/index.yaml')
      answered++
    }
  }))
  for (let round = 1; round <= 5; round++) {
    const enough = answered + 50
    await untilTrue(() => answered > enough)
    const rotated = await run('logrotate', ['-f', '-s', join(folder, '..', 'status'), join(folder, '..', 'rotation')])
    t.equal(rotated.code, 0, rotated.stderr)
    await untilTrue(() => gateway.stdout().split('the audit log was opened again').length - 1 === round)
  }
  load.isOver = true
  await loaders
  const all = async (): Promise<AuditEvent[]> => (await Promise.all((await readdir(folder)).map(async name => {
    const bytes = await readFile(join(folder, name))
    return auditLinesOf((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString())
  }))).flat()
  await untilTrue(async () => (await all()).filter(({ action }) => action === 'pull').length >= answered)
  const ids = (await all()).filter(({ action }) => action === 'pull').map(({ request_id: id }) => id)
  t.equal(ids.length, answered)
  t.equal(new Set(ids).size, answered)
  const names = await readdir(folder)
  t.ok(names.filter(name => name.endsWith('.gz')).length >= 3, names.join())
  const shown = await runChartgate(['audit', '--action', 'pull', '--json', ...names.map(name => join(folder, name))])
  t.equal(shown.stdout.split('\n').length - 1, answered, 'and chartgate audit reads all of them')
  const times = auditLinesOf(shown.stdout).map(({ time }) => time)
  t.same(times.filter((time, i) => i > 0 && Date.parse(time) < Date.parse(times[i - 1] as string) - 1000), [], 'oldest first')
})

await t.test('a start says why a file cannot be written', async t => {
  const folder = await temporaryFolder(t)
  await symlink(join(folder, 'elsewhere'), join(folder, 'link'))
  await run('mkfifo', [join(folder, 'pipe')])
  for (const [file, required, says] of [
    [join(folder, 'missing', 'audit.log'), false, 'its folder is missing'],
    [folder, false, 'it is a folder'],
    [join(folder, 'link'), false, 'it is a link'],
    [join(folder, 'pipe'), false, 'it is a pipe that nobody reads'],
    ['/dev/null', true, 'audit.required needs a file on a disk']
  ] as const) {
    const config = join(folder, 'chartgate.yaml')
    await writeFile(config, JSON.stringify({ listen: { port: 0 }, admin: { port: 0 }, stateDir: join(folder, 'state'), audit: { file, required } }))
    const { code, stderr } = await runChartgate(['serve', '--config', config])
    t.equal(code, 1)
    t.match(stderr, `chartgate: audit.file ${file} cannot be`)
    t.match(stderr, says)
  }
})

await t.test('lines that were lost are a line', t => {
  t.match(auditLinesOf(lostLine(3)), [{ action: 'audit.lost', outcome: 'failure', lines: 3 }])
  t.end()
})

await t.test('files that were read again are recorded, used or not, and what was said before is not', t => {
  const lines: string[] = []
  const report = reportReload({ write: line => { lines.push(line) } })
  const file = '/etc/chartgate/chartgate.yaml'
  report({ isInForce: true, isSound: true, mistakes: [], changed: [], later: [], file })
  report({ isInForce: false, isSound: false, mistakes: ['one', 'a.yaml:1:2: listen.port: "hunter2" is not a port number'], changed: [], later: [], file })
  report({ isInForce: false, isSound: false, mistakes: [], changed: [], later: [], file })
  t.match(auditLinesOf(lines.join('')), [
    { action: 'configuration.reload', outcome: 'success', object: file },
    { action: 'configuration.reload', outcome: 'failure', object: file, detail: 'one\na.yaml:1:2: listen.port: "…" is not a port number' }
  ])
  t.equal(lines.length, 2)
  t.end()
})

await t.test('a file that is not required takes lines, and promises nothing of them', async t => {
  const file = join(await temporaryFolder(t), 'audit.log')
  const opened = await openAudit({ audit: { file, reads: false, required: false } }, { write () {} }, { error () {}, info () {} })
  if (!opened.ok) throw new Error(opened.message)
  const { output, close } = opened.opened
  t.equal(output.record, undefined)
  output.write('{"category":"audit"}\n')
  await close()
  t.equal(await readFile(file, 'utf8'), '{"category":"audit"}\n')
})
