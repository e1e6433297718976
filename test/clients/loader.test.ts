// Does chartgate read archives and YAML as Helm does? Helm's own loader (test/clients/loader)
// is asked some of each kind; `npm run fuzz -- archives` asks it many. What it said of YAML is
// recorded (test/data/go-yaml.json, UPDATE_DATA=1), for the tests of who has no Go.
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { BUILD_LIMIT, goTool } from '../helpers/go-tool.ts'
import { readGo, writtenAsGo } from '../helpers/go-yaml.ts'
import { notTried } from '../helpers/not-tried.ts'
import { startLoader, type GoAnswer } from '../properties/archives/loader.ts'
import { PRODUCTIONS } from '../properties/archives/productions.ts'
import { judgeArchive } from '../properties/archives/verdicts.ts'
import { yamlByChance, yamlTexts } from '../properties/archives/yaml.ts'
import { createRandom } from '../properties/neighbours/random.ts'
import { dataUrl } from '../helpers/data.ts'

const RECORDED = dataUrl('go-yaml.json')
const SEED = 15
const [ARCHIVES, TEXTS] = [40, 20_000]

t.setTimeout(BUILD_LIMIT)
const tool = await goTool('loader')
if (!tool.ok) await notTried(t, "Helm's own loader", tool.reason)
else {
  const ask = startLoader(t, tool.path)

  await t.test('whatever archive Helm takes for a chart is the same chart here, or refused for a reason', async t => {
    for (const { name, make } of PRODUCTIONS) {
      const random = createRandom(SEED)
      const findings: string[] = []
      for (let i = 0; i < ARCHIVES; i++) {
        const bytes = make(random)
        const verdict = await judgeArchive(bytes, await ask('chart', bytes))
        if (!verdict.ok) findings.push(`${verdict.text} ${bytes.toString('base64')}`)
      }
      t.same(findings, [], name)
    }
  })

  await t.test('whatever text is YAML to Go has the same in it here', async t => {
    const random = createRandom(SEED)
    const texts = Array.from({ length: TEXTS }, () => Buffer.from(yamlByChance(random)).toString().replaceAll('\ufeff', ''))
    const answers = await Promise.all(texts.map(async text => await ask('yaml', Buffer.from(text))))
    const differences = texts.filter((text, i) => {
      const [read, { value }] = [readGo(text), answers[i] as GoAnswer]
      return (read.ok ? writtenAsGo(read.node) : undefined) !== value
    })
    t.same(differences, [])
  })

  await t.test('what was recorded of Go is what it says', async t => {
    const texts = yamlTexts(createRandom(SEED))
    const answers = await Promise.all(texts.map(async text => await ask('yaml', Buffer.from(text))))
    const said = `[\n${texts.map((text, i) => JSON.stringify([text, answers[i]])).join(',\n')}\n]\n`
    if (process.env['UPDATE_DATA'] === '1') writeFileSync(RECORDED, said)
    t.ok(readFileSync(RECORDED, 'utf8') === said, 'run it with UPDATE_DATA=1')
  })
}
