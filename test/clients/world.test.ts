// Is what is recorded of the world's archives (test/data/world) what Helm says? Others of them
// each run, all of them in `npm run verify`; ChartMuseum is asked by test/uploads/world.test.ts.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { parse } from 'yaml'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { helmVersions, runHelm } from '../helpers/helm.ts'
import { inShort } from '../helpers/in-short.ts'
import { notTried } from '../helpers/not-tried.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { dataUrl } from '../helpers/data.ts'

interface Recorded {
  readonly file: string
  readonly helm3: { readonly loads?: boolean, readonly error?: string }
  readonly helm4: { readonly loads?: boolean, readonly error?: string }
  readonly chartmuseum: { readonly entries?: readonly { readonly name: string, readonly version: string }[] }
}

const WORLD = dataUrl('world/').pathname
const RECORDED = readFileSync(join(WORLD, 'uploads.jsonl'), 'utf8').trim().split('\n').map(line => JSON.parse(line) as Recorded)
const SAMPLE = inShort(15, RECORDED.length)

t.setTimeout(BUILD_LIMIT)
const helms = await helmVersions()
if (!helms.ok) await notTried(t, 'real Helm', helms.reason)
else {
  for (const helm of helms.versions) {
    await t.test(`${helm.name} says of archives of the world what is recorded`, async t => {
      const home = await temporaryFolder(t)
      const [sample] = fc.sample(fc.shuffledSubarray([...RECORDED], { minLength: SAMPLE, maxLength: SAMPLE }), 1) as [Recorded[]]
      for (const { file, chartmuseum, ...said } of sample) {
        const { code, stdout, stderr } = await runHelm(helm, ['show', 'chart', join(WORLD, 'uploads', file)], { home })
        t.equal(code === 0, said[helm.name].loads === true, `${file}: ${stderr}`)
        const [entry] = chartmuseum.entries ?? []
        if (code !== 0 || entry === undefined) continue
        const { name, version } = parse(stdout) as { name: unknown, version: unknown }
        t.same([String(name), String(version)], [entry.name, entry.version], file)
      }
    })
  }
}
