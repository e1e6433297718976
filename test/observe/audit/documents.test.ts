// The page and the schema of the audit log say what the program writes.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { auditFields, auditMarkdown, auditSchemaText, ECS } from '../../../scripts/audit-documents.ts'
import { deedEvent, PROCESS_ACTOR } from '../../../src/observe/audit/event.ts'
import { auditFaults } from '../../helpers/audit.ts'
import { ROOT } from '../../helpers/processes.ts'

const DOCS = join(ROOT, 'docs')

await t.test('docs/audit.md and docs/audit.schema.json have every field (npm run docs:audit writes them)', async t => {
  for (const [name, text] of [['audit.md', auditMarkdown()], ['audit.schema.json', auditSchemaText()]] as const) {
    if (process.env['UPDATE_DOCS'] === '1') await writeFile(join(DOCS, name), text)
    t.equal(await readFile(join(DOCS, name), 'utf8'), text)
  }
  const paths = auditFields().map(([path]) => path)
  for (const path of Object.keys(ECS)) t.ok(paths.includes(`\`${path}\``), path)
})

await t.test('the schema takes what is written, and neither more nor less', t => {
  const event = deedEvent({ action: 'audit.lost', outcome: 'failure', actor: PROCESS_ACTOR, lines: 1 })
  t.same(auditFaults(event), [])
  const { outcome: _outcome, ...intent } = event
  t.same(auditFaults({ ...intent, phase: 'intent' }), [])
  for (const wrong of [{ ...event, more: 1 }, { ...event, action: 'else' }, { ...event, outcome: 'maybe' }, { ...event, phase: 'intent' }, intent, { ...event, event_id: 'x' }, { ...event, actor: { subject: 'x' } }]) {
    t.not(auditFaults(wrong).length, 0, JSON.stringify(wrong))
  }
  t.end()
})
