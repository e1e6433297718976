// docs/audit.md and docs/audit.schema.json, made of the schema of the audit log
// (src/observe/audit/schema.ts), so that neither can drift. A test compares them; `npm run
// docs:audit` writes them.
import { AUDIT_ACTIONS, AuditSchema, auditJsonSchema } from '../src/observe/audit/schema.ts'
import type { SchemaNode } from '../src/files/nodes.ts'

/** Where the Elastic Common Schema has the same; what is left out has no field there. */
export const ECS: Readonly<Record<string, string>> = {
  event_id: 'event.id',
  time: '@timestamp',
  category: 'event.dataset',
  action: 'event.action',
  outcome: 'event.outcome (`denied` is `failure`)',
  reason: 'event.reason',
  'actor.subject': 'user.name',
  'actor.name_hash': 'user.hash',
  tenant: 'organization.name',
  chart: 'package.name',
  version: 'package.version',
  size: 'package.size',
  digest: 'file.hash.sha256',
  file: 'file.name',
  rule: 'rule.name',
  request_id: 'http.request.id',
  trace_id: 'trace.id',
  'client.address': 'source.ip',
  'client.forwarded': 'client.ip',
  upstream_status: 'http.response.status_code',
  duration_ms: 'event.duration (in nanoseconds there)',
  detail: 'error.message'
}

export function auditSchemaText (): string {
  return `${JSON.stringify(auditJsonSchema(), undefined, 2)}\n`
}

/** Every field with its path, what it is, and whether each line has it. */
export function auditFields (node: SchemaNode = AuditSchema, before = ''): string[][] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const path = `${before}${name}`
    const row = [`\`${path}\``, node.required?.includes(name) === true ? 'always' : '', child.description ?? '', ECS[path] ?? '']
    return child.properties === undefined ? [row] : auditFields(child, `${path}.`)
  })
}

/** docs/audit.md */
export function auditMarkdown (): string {
  return `# The audit log

Made from \`src/observe/audit/schema.ts\` and \`scripts/audit-documents.ts\` by \`npm run docs:audit\`.

One line of JSON for each change and each refusal, and with \`audit.reads\` for each read that was allowed. [operations.md](operations.md#the-audit-log) says where the lines go and how they are read, and [audit.schema.json](audit.schema.json) is the schema that every line in the tests is held against. A field that says nothing is left out. \`chartgate.audit/1\` becomes another number when a reader of this one would take a line for something else; fields may be added without that. \`audit.file\` may name another file while the gateway runs: an intent has its outcome in the file that is in force when the change is done, which may be the next one.

A line never holds a header, a query, a body or a secret. People type secrets into the user field: a name that is no account's is \`unknown\`, with a hash of it under a key of this stateDir (\`name_hash\`), which is the same for the same name. Control, format and bidirectional characters are JSON's escapes in it.

## Fields

${table(['field', 'there', 'what it is', 'ECS'], auditFields())}
## Actions

${table(['action', 'what happened'], Object.entries(AUDIT_ACTIONS).map(([name, what]) => [`\`${name}\``, what]))}`.trimEnd() + '\n'
}

function table (head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |\n`).join('')
}
