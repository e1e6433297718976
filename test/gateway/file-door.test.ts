// A chart file is shared by who asks for it at once, and is never older than who asks: an
// overwrite and a delete through the gateway, while many read.
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { request } from 'undici'
import { startApp } from '../helpers/app.ts'
import { skipped } from '../helpers/not-tried.ts'
import { chartOf } from '../helpers/packages.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { until } from '../helpers/until.ts'
import { findChartMuseum, OPEN, startChartMuseum, startEmbedded } from '../repository/servers.ts'

const FILE = '/org1/repo1/charts/mychart-1.0.0.tgz'
const READERS = 16
const OVERWRITES = 30

async function overwriteAndDelete (t: Test, start: typeof startEmbedded): Promise<void> {
  const { port } = await start(t, await temporaryFolder(t), { ...OPEN, depth: 2, contextPath: '' })
  const gateway = await startApp(t, { origin: `http://127.0.0.1:${port}`, config: config => ({ ...config, upstream: { ...config.upstream, auth: 'none' } }) })
  const ask = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: Buffer): Promise<{ status: number, bytes: Buffer }> => {
    const answer = await request(gateway.url + path, { method, headers: { authorization: `Bearer ${gateway.masterKey}` }, ...(body === undefined ? {} : { body }) })
    return { status: answer.statusCode, bytes: Buffer.from(await answer.body.arrayBuffer()) }
  }
  // Each stored file is one of these, so that what a reader got says when it was stored.
  const files = await Promise.all(Array.from({ length: OVERWRITES }, async (_, i) => await chartOf('mychart', '1.0.0', [{ name: 'mychart/files/n', body: `n: ${i}\n` }])))
  const place = (bytes: Buffer): number => files.findIndex(file => file.equals(bytes))
  t.equal((await ask('POST', '/api/org1/repo1/charts', files[0])).status, 201)

  const state = { stored: 0, deleting: false, deleted: false, over: false }
  const counts = { reads: 0, old: 0, halfWritten: 0, refused: 0, afterDelete: 0 }
  const readers = Array.from({ length: READERS }, async () => {
    while (!state.over) {
      const { stored: least, deleted: gone } = state
      const { status, bytes } = await ask('GET', FILE)
      counts.reads++
      if (status !== 200) counts.refused += status === 404 && state.deleting ? 0 : 1
      else if (place(bytes) < 0) counts.halfWritten++
      else if (place(bytes) < least) counts.old++
      if (gone && status !== 404) counts.afterDelete++
    }
  })
  for (let i = 1; i < OVERWRITES; i++) {
    t.equal((await ask('POST', '/api/org1/repo1/charts?force', files[i])).status, 201)
    state.stored = i
  }
  state.deleting = true
  t.equal((await ask('DELETE', '/api/org1/repo1/charts/mychart/1.0.0')).status, 200)
  state.deleted = true
  const before = counts.reads
  await until(() => counts.reads >= before + READERS * 3 || undefined)
  state.over = true
  await Promise.all(readers)
  t.ok(counts.reads > OVERWRITES)
  t.strictSame({ ...counts, reads: 0, halfWritten: 0 }, { reads: 0, old: 0, halfWritten: 0, refused: 0, afterDelete: 0 }, 'no read that began after a 201 got an older file, or one that was deleted')
  // ChartMuseum's local storage writes over a file in place (github.com/chartmuseum/storage, local.go, PutObject), and who reads meanwhile gets what is there.
  if (start === startEmbedded) t.equal(counts.halfWritten, 0)
}

await t.test('no reader gets a file that was overwritten or deleted before they asked, with the embedded repository', async t => {
  await overwriteAndDelete(t, startEmbedded)
})

if (findChartMuseum() === undefined) await skipped(t, 'the same with a real ChartMuseum', 'no chartmuseum on the PATH, and CHARTMUSEUM names none')
else {
  await t.test('no reader gets a file that was overwritten or deleted before they asked, with a real ChartMuseum', async t => {
    await overwriteAndDelete(t, startChartMuseum)
  })
}

await t.test('who asks again with the last byte of a large file keeps the connection, beside others who do', async t => {
  const stub = await startStubUpstream(t)
  const body = Buffer.alloc(300_000, 'x')
  stub.answer = () => ({ headers: { 'content-length': String(body.length) }, body })
  const gateway = await startApp(t, { origin: stub.origin })
  const ask = `GET /org1/repo1/charts/large-1.0.0.tgz HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\n\r\n`
  const ROUNDS = 5
  const finished = await Promise.all(Array.from({ length: 40 }, async () => await new Promise<number>(resolve => {
    const socket = connect(gateway.port, '127.0.0.1', () => { socket.write(ask) })
    let [rounds, left] = [0, -1]
    socket.on('data', (chunk: Buffer) => {
      if (left < 0) left = body.length + chunk.indexOf('\r\n\r\n') + 4
      left -= chunk.length
      if (left > 0) return
      if (++rounds === ROUNDS) socket.destroy()
      else socket.write(ask)
      left = -1
    })
    socket.on('error', () => {})
    socket.on('close', () => { resolve(rounds) })
  })))
  t.same([...new Set(finished)], [ROUNDS])
})
