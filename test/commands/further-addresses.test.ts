// check --upstream with several addresses of one chart repository.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { command } from '../helpers/commands.ts'
import { testFolder } from '../helpers/folder.ts'
import { EMPTY_INDEX, startStubUpstream, type StubAnswer, type StubUpstream } from '../helpers/stub-upstream.ts'

const NOT_FOUND = { status: 404, body: '{"error":"object not found"}' }
const LIST = '/api/org1/repo1/charts'

const [first, other] = [await startStubUpstream(t), await startStubUpstream(t)]

function says (stub: StubUpstream, pages: Readonly<Record<string, StubAnswer>>): void {
  stub.answer = ({ target }) => pages[target] ?? NOT_FOUND
}

function list (...versions: readonly (readonly [name: string, version: string, digest: string])[]): StubAnswer {
  return { body: JSON.stringify(Object.fromEntries(versions.map(([name]) => [name, versions.filter(each => each[0] === name).map(([name, version, digest]) => ({ name, version, digest }))]))) }
}

const folder = testFolder(t)
async function check (policy = '[{ repositories: [org1/repo1, "org2/*"], subjects: [anonymous], actions: [pull] }]', depth = 2): Promise<{ code: number, out: string, err: string }> {
  const file = join(folder, 'chartgate.yaml')
  await writeFile(file, `upstream: { urls: [${JSON.stringify(first.origin)}, ${JSON.stringify(other.origin)}], auth: none }\nmasterKey: a-key-of-sixteen-characters\nstateDir: state\ncharts: { depth: ${depth} }\npolicy: ${policy}\n`)
  const { code, out, err } = await command(['check', '--upstream', '--config', file])
  return { code, out: out.split('\n').filter(line => line.startsWith('the further address')).map(line => `${line}\n`).join(''), err }
}

await t.test('an address that shows the same is said to, and that this is all that a look can tell', async t => {
  says(first, { [LIST]: list(['web', '1.0.0', 'a'], ['web', '1.1.0', 'b']) })
  says(other, { [LIST]: list(['web', '1.1.0', 'b'], ['web', '1.0.0', 'a']) })
  t.match(await check(), { code: 0, err: '', out: `the further address ${other.origin} answers as it is configured, and shows the same in all 1 tenants that rules name; whether it always will is seen with the next changes: /readyz?verbose of a gateway that runs\n` })
  for (const nobody of ['[]', '[{ repositories: ["org1/*"], subjects: [anonymous], actions: [pull] }]']) {
    t.match(await check(nobody), { code: 0, out: `the further address ${other.origin} answers as it is configured\n`, err: `chartgate: warning: ${other.origin}: it was not compared with the first address: no rule names a tenant without *\n` })
  }
})

await t.test('one that shows other charts is a warning', async t => {
  for (const [here, there, which] of [[list(['web', '1.0.0', 'a']), list(), 'web 1.0.0'], [list(), list(['web', '1.0.0', 'a']), 'web 1.0.0'], [list(['web', '1.0.0', 'a']), list(['web', '1.0.0', 'b']), 'web 1.0.0'], [list(), { body: 'x' }, 'no list'], [{ body: 'x' }, list(), 'no list']] as const) {
    says(first, { [LIST]: here })
    says(other, { [LIST]: there })
    t.match(await check(), { code: 0, out: '', err: `chartgate: warning: ${other.origin}: it does not show what the first address shows, of org1/repo1 (${which}): do both have one storage, and is it run with --always-regenerate-chart-index? Reads do not go there\n` })
  }
  let asked = 0
  says(first, { [LIST]: list(['web', '1.0.0', 'a']) })
  other.answer = ({ target }) => target === LIST ? asked++ === 0 ? list() : list(['web', '1.0.0', 'a']) : NOT_FOUND
  t.match(await check(), { code: 0, err: '' }, 'unless somebody pushed meanwhile')
})

await t.test('one that does not answer is a warning, and so is one that asks nobody for a credential', async t => {
  says(first, { [LIST]: list() })
  other.answer = () => ({ status: 401 })
  t.match(await check(), { code: 0, out: '', err: `chartgate: warning: ${other.origin}: the chart repository does not accept the gateway (401); reads do not go there\n` })
  says(other, { [LIST]: list(), '/nobody/nobody/index.yaml': { body: EMPTY_INDEX } })
  t.match(await check(), { code: 0, out: /^the further address/, err: `chartgate: warning: ${other.origin}: it gives a tenant's index to whoever asks` })
})

await t.test('while the first does not answer, which is a mistake, the others are asked all the same', async t => {
  first.answer = () => ({ status: 401 })
  says(other, { [LIST]: list() })
  const { code, out, err } = await check()
  t.equal(code, 1)
  t.match(out, `the further address ${other.origin} answers as it is configured\n`)
  t.match(err, /^chartgate: the chart repository does not accept the gateway \(401\)[^\n]*\nchartgate: warning: [^\n]*: it was not compared with the first address: the first address does not answer\n$/)
  other.answer = () => ({ status: 401 })
  t.match(await check(), { code: 1, err: /; reads do not go there\n$/ })
})

await t.test('the repository without tenants is asked at its root', async t => {
  says(first, { '/api/charts': list(['web', '1.0.0', 'a']) })
  says(other, { '/api/charts': list() })
  t.match(await check('[{ repositories: [repo], subjects: [anonymous], actions: [pull] }]', 0), { code: 0, err: /of repo \(web 1\.0\.0\)/ })
})
