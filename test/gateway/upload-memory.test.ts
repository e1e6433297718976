// How much memory do uploads take? Measured on the built program, as a user runs it,
// which keeps them on the disk: 20 of 20 MiB at once are 400 MiB.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { rawTar, rawTgz } from '../helpers/archives.ts'
import { CHART } from '../helpers/archive-corpus.ts'
import { startGateway, type Gateway } from '../helpers/gateway.ts'
import { notTried } from '../helpers/not-tried.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { inShort } from '../helpers/in-short.ts'

const MIB = 1024 * 1024
const MOST_ADDED = 96 * MIB
const masterKey = `test-${randomBytes(16).toString('hex')}`

/** A number of the kernel's about a process, in bytes (proc(5)). */
async function memoryOf (pid: number, name: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024
}

/** Nothing of it can be made smaller; no file is larger than Helm reads. */
function incompressible (size: number): Buffer {
  const bytes = randomBytes(size - 64 * 1024)
  const files = Array.from({ length: 5 }, (_, i) => ({ name: `x/files/${i}`, body: bytes.subarray(i * bytes.length / 5, (i + 1) * bytes.length / 5) }))
  return gzipSync(rawTar([CHART, ...files]), { level: 0 })
}

async function push (url: string, tenant: string, body: Buffer): Promise<number> {
  const sent = request(`${url}/api/${tenant}/charts`, { method: 'POST', headers: { authorization: `Bearer ${masterKey}`, 'content-length': body.length } })
  sent.end(body)
  const [answer] = await once(sent, 'response') as [IncomingMessage]
  answer.resume()
  await once(answer, 'end')
  return answer.statusCode as number
}

/** The peak of memory over what it was before, while the upload goes to so many tenants at once. */
async function addedBy (t: Test, { pid, url, stateDir }: Gateway, body: Buffer, expected: number, tenants = 20): Promise<number> {
  const before = await memoryOf(pid, 'VmRSS')
  await writeFile(`/proc/${pid}/clear_refs`, '5') // the peak starts anew (proc(5))
  const answers = await Promise.all(Array.from({ length: tenants }, async (_, i) => await push(url, `org1/repo${i}`, body)))
  t.same([...new Set(answers)], [expected])
  t.same(await readdir(join(stateDir, 'spool')), [])
  return await memoryOf(pid, 'VmHWM') - before
}

const measurable = await readFile('/proc/self/clear_refs').then(() => true, (error: NodeJS.ErrnoException) => error.code !== 'ENOENT')
if (!measurable) await notTried(t, 'the memory of uploads', 'this system has no /proc/PID/clear_refs')
else {
  await t.test('many uploads at once take little memory', async t => {
    const stub = await startStubUpstream(t)
    stub.server.removeAllListeners('request')
    stub.server.on('request', (received, response) => { // remembers nothing of 400 MiB
      received.resume().on('end', () => { response.writeHead(received.method === 'GET' ? 404 : 201).end('{"saved":true}') })
    })
    const gateway = await startGateway(t, { masterKey, upstream: { url: stub.origin, auth: 'none' } })
    t.equal(await push(gateway.url, 'org1/first', rawTgz([CHART])), 201)
    const idle = await memoryOf(gateway.pid, 'VmRSS')

    await t.test('20 of 20 MiB', async t => {
      const added = await addedBy(t, gateway, incompressible(20 * MIB), 201)
      t.ok(added <= MOST_ADDED, `${(added / MIB).toFixed(0)} MiB over ${(idle / MIB).toFixed(0)} MiB`)
    })
    await t.test('a few that inflate a thousandfold', async t => {
      const bomb = gzipSync(Buffer.concat([rawTar([CHART], Buffer.alloc(0)), Buffer.alloc(200 * MIB)]))
      const added = await addedBy(t, gateway, bomb, 400, 5)
      t.ok(added <= MOST_ADDED, `${(added / MIB).toFixed(0)} MiB more`)
    })
    await t.test('some of nothing but long names', async t => {
      for (const length of inShort([1000], [1000, 4000, 60_000])) {
        const names = Array.from({ length: Math.floor(64 * MIB / (length + 1024)) }, (_, i) => [{ type: 'L', body: `x/\u65e5${i}/${'n'.repeat(length)}\0` }, { name: 'x/cut' }]).flat()
        const added = await addedBy(t, gateway, rawTgz([CHART, ...names.slice(0, 15_000)]), 201, 10)
        t.ok(added <= MOST_ADDED, `${(added / MIB).toFixed(0)} MiB more for names of ${length}`)
      }
    })
  })
}
