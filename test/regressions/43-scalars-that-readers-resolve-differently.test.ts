// Scalars that two readers resolve differently: what is checked is one chart, and what is
// stored another. Go's YAML takes `0_x10` for 16 and `0_b11` for 3 (go.yaml.in/yaml v2,
// resolve.go), which no grammar of YAML has; where the upstream overwrites, a right to
// push was one to overwrite. The other way round a chart named `e1` was refused, which
// is text to Go and a number to YAML 1.1.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { archiveOf } from '../helpers/packages.ts'
import { overEachBuilt, overEachRepository } from '../helpers/repositories.ts'

const TENANT = 'org1/repo1'
const CHARTS = `/api/${TENANT}/charts`

// As they are written, and as Go has them; each was asked of Go.
const NUMBERS: readonly (readonly [written: string, go: string])[] = [
  ['0_x10', '16'], ['0_b11', '3'], ['1e_5', '100000'], ['-_1', '-1'], ['1_0', '10'], ['0_7', '7'], ['0_o17', '15'], ['0b-11', '-3'], ['0B1_1', '3'], ['010', '8'],
  ['1_', '1'], ['1__0.5', '10.5'], ['.5_0', '0.5'], ['1_e1', '10'], ['0x_1', '1'], ['18446744073709551616', '1.8446744e+19'], ['1.10', '1.1'], ['0.50', '0.5'], ['yes', 'true'], ['Off', 'false'], ['.inf', '+Inf']
]
// Text to Go, whatever they look like.
const TEXTS = ['e1', 'E5', 'e1_0', '1e400', '0x', '0xg', '0o', '1p3', '0x1p3', '1_x', '0b2', '_1', 'inf', 'NaN', '.nAn', 'yEs', 'tRue', 'nil', '1.2.3', '2001-01-01', '2001-13-41', '-.5x', '123456', '0.5', '12', 'true', 'false', '-5']

const chart = async (name: string, version = '1.0.0'): Promise<Buffer> => await archiveOf([
  { name: 'x/Chart.yaml', body: `apiVersion: v2\nname: ${name}\nversion: ${version}\nkeywords: [e1]\n` }
])

await t.test('a name or a version that Go writes in another way is no chart, and overwrites none', async t => {
  await overEachRepository(t, { allowOverwrite: true }, async (t, { ask, storage, files }) => {
    const other = await chart('"16"')
    t.equal((await ask('POST', CHARTS, other)).status, 201)
    for (const [written, go] of NUMBERS) {
      const name = await ask('POST', CHARTS, await chart(written))
      t.equal(name.status, 400, `${written} is no name`)
      t.ok(name.error.includes(`the name ${written}, which Helm reads as ${go}: write it in quotes`), name.error)
      t.equal((await ask('POST', CHARTS, await chart('x', written))).status, 400, `${written} is no version`)
    }
    t.same(await files(TENANT), ['16-1.0.0.tgz'])
    t.ok((await readFile(join(storage, TENANT, '16-1.0.0.tgz'))).equals(other), 'nothing was overwritten')
  })
})

await t.test('what Go reads as it is written is stored under that name', async t => {
  await overEachRepository(t, {}, async (t, { ask, files }) => {
    for (const text of TEXTS) {
      const body = await chart(text)
      const { status, error } = await ask('POST', CHARTS, body)
      t.equal(status, 201, `${text}: ${error}`)
      const file = await ask('GET', `/${TENANT}/charts/${text}-1.0.0.tgz`)
      t.ok(file.bytes.equals(body), `${text} is served`)
      const listed = await ask('GET', `${CHARTS}/${text}/1.0.0`)
      t.match(JSON.parse(listed.bytes.toString()), { name: text, version: '1.0.0', keywords: ['e1'] }, `${text} is listed`)
    }
    t.same(await files(TENANT), TEXTS.map(text => `${text}-1.0.0.tgz`).sort())
    t.equal((await ask('GET', `/${TENANT}/index.yaml`)).status, 200)
  })
})

await t.test('the program that is built reads them so too', async t => {
  await overEachBuilt(t, async (t, ask) => {
    for (const [written] of NUMBERS) t.equal((await ask('POST', CHARTS, await chart(written))).status, 400, written)
    for (const text of TEXTS) t.equal((await ask('POST', CHARTS, await chart(text))).status, 201, text)
  })
})
