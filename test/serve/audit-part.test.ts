// The audit log of a gateway whose configuration names another place for it while it runs.
import { mkdir, readFile, readdir, readlink, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import type { Config } from '../../src/config/schema.ts'
import type { Look } from '../../src/live/part.ts'
import { openAudit, type OpenedAudit } from '../../src/serve/audit.ts'
import { auditPart } from '../../src/serve/audit-part.ts'
import { auditLinesOf } from '../helpers/audit.ts'
import { runChartgate, serveFile } from '../helpers/gateway.ts'
import { temporaryFolder, type RunResult } from '../helpers/processes.ts'
import { ask, KEY } from '../helpers/several.ts'
import { chartOf } from '../helpers/packages.ts'
import { untilTrue } from '../helpers/until.ts'
import { readChildren } from '../properties/neighbours/proc.ts'

type Aim = Partial<Config['audit']>
const QUIET = { error () {}, info () {}, warn () {} }

async function begin (aim: Aim, stream: string[] = []): Promise<OpenedAudit> {
  const result = await openAudit({ audit: { reads: false, required: false, ...aim } }, { write: line => { stream.push(line) } }, QUIET)
  if (!result.ok) throw new Error(result.message)
  return result.opened
}

await t.test('from one place to the next no line is lost, and each place is told by its key', async t => {
  const folder = await temporaryFolder(t)
  const [one, two] = [join(folder, 'one.log'), join(folder, 'two.log')]
  const stream: string[] = []
  const audit = await begin({}, stream)
  const part = auditPart(audit)
  const load = async (aim: Aim): Promise<unknown> => {
    const config = { audit: { reads: false, required: false, ...aim } } as Config
    return await part.load({ config } as Look, QUIET)
  }
  t.same(await part.files({} as Config), [])
  audit.output.write('a\n')
  t.same(await load({ reads: true }), { changed: [], mistakes: [], again: false })
  t.same(await load({ file: one }), { changed: ['audit.file'], mistakes: [], again: false })
  audit.output.write('b\n')
  audit.countLost(0)
  t.same(await load({ file: two, required: true }), { changed: ['audit.file', 'audit.required'], mistakes: [], again: false })
  t.equal(await audit.output.record?.('c\n', 'drop'), true)
  t.match(await load({ file: join(folder, 'missing', 'a.log') }), { changed: [], mistakes: [/missing.a\.log cannot be written: its folder is missing/], again: true })
  t.match(await load({ file: '/dev/null', required: true }), { changed: [], mistakes: [/needs a file on a disk/] })
  t.equal(await audit.output.record?.('d\n', 'drop'), true, 'what was before is in force')
  audit.reopen()
  t.same(await load({ file: two }), { changed: ['audit.required'], mistakes: [], again: false })
  t.equal(audit.output.record, undefined)
  audit.countLost(2)
  audit.output.write('e\n')
  t.same(await load({}), { changed: ['audit.file'], mistakes: [], again: false })
  audit.output.write('f\n')
  audit.reopen()
  audit.countLost(1)
  t.equal(audit.lost(), 3)
  await audit.close()
  t.equal(await readFile(one, 'utf8') + await readFile(two, 'utf8').then(text => text.replace(/^{.*"lines":2}\n/m, '2 lost\n')), 'b\nc\nd\n2 lost\ne\n')
  t.same(stream.map(line => line.replace(/^{.*"lines":1}/, '1 lost')), ['a\n', 'f\n', '1 lost\n'])
})

await t.test('what a full disk does not take is in the stream of the log, once no file is named', async t => {
  const stream: string[] = []
  const audit = await begin({ file: '/dev/full' }, stream)
  audit.output.write('one\n')
  t.equal(await audit.aimAt({ required: false }), undefined)
  t.same(stream, ['one\n'])
  await audit.close()
})

for (const workers of [1, 2]) {
  await t.test(`with ${workers} of them a running gateway goes on in another file, and every line is in one place`, async t => {
    const folder = await temporaryFolder(t)
    const [one, two] = [join(folder, 'one.log'), join(folder, 'two.log')]
    const options = { workers, masterKey: KEY, log: { reads: true } }
    const file = join(folder, 'chartgate.yaml')
    // At once: the half of it would be a configuration without a master key.
    const write = async (audit: object): Promise<void> => {
      await writeFile(`${file}.new`, stringify({ ...options, audit: { reads: true, ...audit } }))
      await rename(`${file}.new`, file)
    }
    await write({})
    const gateway = await serveFile(t, { file })
    await untilTrue(async () => await fetch(`${gateway.adminUrl}/readyz`).then(({ ok }) => ok, () => false))
    const reload = async (audit: object): Promise<RunResult> => {
      await write(audit)
      return await runChartgate(['reload', '--state-dir', gateway.stateDir])
    }
    let asked = 0
    const stop = new AbortController()
    const load = Array.from({ length: 4 }, async () => {
      while (!stop.signal.aborted) {
        t.equal((await ask(gateway, '/org1/repo1/index.yaml')).status, 200)
        asked++
      }
    })
    const countIn = (text: string): number => auditLinesOf(text).filter(({ action }) => action === 'pull').length
    await untilTrue(() => asked > 10)
    t.match(await reload({ file: one }), { code: 0, stdout: /audit\.file$/m })
    const then = asked
    await untilTrue(() => asked > then + 20)
    t.match(await reload({ file: two, required: true }), { code: 0, stdout: /audit\.file, audit\.required$/m })
    const push = await ask(gateway, '/api/org1/repo1/charts', { method: 'POST', body: await chartOf('mine', '1.0.0') })
    t.equal(push.status, 201)
    t.same(auditLinesOf(await readFile(two, 'utf8')).filter(({ action }) => action === 'push').map(({ phase }) => phase), ['intent', 'outcome'], 'before it is answered')
    const broken = await reload({ file: join(folder, 'missing', 'audit.log') })
    t.match(broken, { code: 1, stderr: /audit\.file .*missing.audit\.log cannot be written: its folder is missing/ })
    t.notMatch(broken.stdout, 'changed: audit.file')
    await mkdir(join(folder, 'missing'))
    await untilTrue(async () => await readFile(join(folder, 'missing', 'audit.log'), 'utf8').then(text => text !== '', () => false))
    t.equal(new Set(gateway.stdout().match(/"mistake":"[^"]*"/g)).size, 1)
    t.match(await reload({}), { code: 0, stdout: /audit\.file$/m })
    const later = asked
    await untilTrue(() => asked > later + 20)
    stop.abort()
    await Promise.all(load)
    const inFiles = async (): Promise<string> => (await Promise.all([one, two, join(folder, 'missing', 'audit.log')].map(async file => await readFile(file, 'utf8')))).join('')
    await untilTrue(async () => countIn(gateway.stdout()) + countIn(await inFiles()) >= asked)
    const ids = auditLinesOf(gateway.stdout() + await inFiles()).filter(({ action }) => action === 'pull').map(({ request_id: id }) => id)
    t.equal(ids.length, asked)
    t.equal(new Set(ids).size, asked)
    for (const pid of [gateway.pid, ...await readChildren(gateway.pid)]) {
      const open = await Promise.all((await readdir(`/proc/${pid}/fd`)).map(async fd => await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')))
      t.notOk(open.some(file => file.endsWith('.log')), 'no file is open any more')
    }
  })
}
