// The page of reasons says what the table says, and what really stands in the log.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { LOG_FIELDS, reasonsMarkdown } from '../../scripts/reason-documents.ts'
import { REASONS } from '../../src/http/reasons.ts'
import { grant, startApp } from '../helpers/app.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { ROOT } from '../helpers/processes.ts'

const PAGE = join(ROOT, 'docs/reasons.md')

await t.test('docs/reasons.md has every field and every reason (npm run docs:reasons writes it)', async t => {
  if (process.env['UPDATE_DOCS'] === '1') await writeFile(PAGE, reasonsMarkdown())
  t.equal(await readFile(PAGE, 'utf8'), reasonsMarkdown())
})

await t.test('every reason says what it means and what to do, each in a sentence without an end', t => {
  for (const [code, { status, error, means, todo }] of Object.entries(REASONS)) {
    t.ok(status >= 400 && status < 600, code)
    for (const sentence of [error, means, todo]) t.match(sentence, /^[^\n|]{5,160}[^.\n|]$/, code)
  }
  t.end()
})

await t.test('no line of a request has a field that the page does not have', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  const bearer = { authorization: `Bearer ${await gateway.token([grant('org1/repo1', 'pull')])}` }
  const master = { authorization: `Bearer ${gateway.masterKey}` }
  await fetch(`${gateway.url}/org1/repo1/index.yaml`, { headers: bearer })
  await fetch(`${gateway.url}/org1/repo1/charts/a-1.0.0.tgz`, { headers: master })
  await fetch(`${gateway.url}/oauth/token?scope=artifact-repository:org1/repo1:pull`, { headers: master })
  await fetch(`${gateway.url}/nowhere`)
  await fetch(`${gateway.url}/api/org1/repo1/charts`, { method: 'POST', headers: master, body: 'no chart' })
  const known = new Set(Object.values(LOG_FIELDS).flat().map(([field]) => field))
  t.ok(gateway.log.length >= 4)
  for (const line of gateway.log) t.strictSame(Object.keys(line).filter(field => !known.has(field)), [], String(line['msg']))
})
