// Class 49: counters of memory that count less than is taken. An empty tenant was counted
// in charts.index.maxBytes as the 152 bytes of its index, and took 1.7 kB, or 8 kB where
// its few bytes held a block of Node's buffers: a pull right on `x/*` made it many times
// the limit. The count is compared with what the process takes.
import { join } from 'node:path'
import t from 'tap'
import { ROOT, run } from '../helpers/processes.ts'

/** What a process grows by whatever it does: young objects, code, and what allocators keep for later. */
const ALLOWANCE = 48 * 1024 * 1024

/** Fills an index store of the built gateway in a process of its own; what it counts, and by how much the process grew. */
async function fill (tenants: number, bytes: number, gzip: boolean, { maxBytes = 1e12, padding = 10 } = {}): Promise<{ counted: number, heap: number, process: number, kept: number }> {
  const program = `
    const { createIndexStore } = await import(${JSON.stringify(join(ROOT, 'dist/src/upstream/index-store.js'))})
    const text = 'apiVersion: v1\\nentries: {}\\ngenerated: "' + 'x'.repeat(${bytes}) + '"\\nserverInfo: {}\\n'
    const read = async () => {
      const body = Buffer.concat([Buffer.from(text)], Buffer.byteLength(text)) // as the reader of the upstream has it
      for (let i = 0; i < 8; i++) Buffer.from('y'.repeat(900)) // what others do with Node's buffers meanwhile
      return { ok: true, body }
    }
    const store = createIndexStore({ reader: { read }, place: { basePath: '' }, maxAge: () => 1000, maxBytes: () => ${maxBytes}, clock: () => performance.now(), holds: () => true, warn () {} })
    const settled = async () => {
      for (let i = 0; i < 4; i++) { gc(); await new Promise(resolve => setTimeout(resolve, 10)) }
      return process.memoryUsage()
    }
    // A name as the parser of targets finds it, in a target as long as Node takes one.
    const padding = '?' + 'z'.repeat(${padding})
    const load = async name => { const tenant = ('/' + name + '-of-some-length/index.yaml' + padding).split('/')[1]; const index = await store.read({ tenant, tenantPath: tenant }, { waits: {} }); if (${gzip}) await index.gzipped() }
    await load('first')
    const before = await settled()
    for (let i = 0; i < ${tenants}; i++) await load('x' + i)
    const after = await settled()
    let kept = 0
    for (let i = 0; i < ${tenants}; i++) if (store.fresh('x' + i + '-of-some-length') !== undefined) kept++
    const grown = key => (after[key] - before[key])
    console.log(JSON.stringify({ counted: store.used, heap: grown('heapUsed') + grown('external'), process: grown('rss'), kept }))`
  const { code, stdout, stderr } = await run(process.execPath, ['--expose-gc', '--input-type=module', '--eval', program])
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Awaited<ReturnType<typeof fill>>
}

await t.test('what is counted is what is taken, for tenants of every size', async t => {
  for (const [name, tenants, bytes, gzip] of [['empty', 60_000, 20, false], ['small, and pressed together', 10_000, 1_000, true], ['larger than a text', 2_000, 17_000, true]] as const) {
    const { counted, heap, process, kept } = await fill(tenants, bytes, gzip)
    t.equal(kept, tenants)
    const shown = `${name}: ${Math.round(counted / tenants)} counted, ${Math.round(heap / tenants)} in use, ${Math.round(process / tenants)} of the process`
    t.ok(counted >= heap, `${shown}: no less than is in use`)
    t.ok(1.5 * counted + ALLOWANCE >= process, `${shown}: the process grows with it`)
    t.ok(counted <= 4 * heap, `${shown}: and not much more`)
  }
})

await t.test('a limit holds for any number of tenants', async t => {
  const limit = 8 * 1024 * 1024
  const { counted, heap, kept } = await fill(20_000, 20, false, { maxBytes: limit })
  t.ok(counted <= limit && heap <= limit, `${counted} counted, ${heap} in use, of ${limit}`)
  t.ok(kept > 1_000 && kept < limit / 1_700, `${kept} tenants are kept`)
})

await t.test('an entry keeps nothing of the request that it was read for', async t => {
  const { counted, heap } = await fill(2_000, 20, false, { padding: 15_000 })
  t.ok(counted >= heap, `${Math.round(counted / 2_000)} counted, ${Math.round(heap / 2_000)} in use`)
})
