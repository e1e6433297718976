// Which options are there? Every one with what follows it and what it says; a command
// names those that it takes (table.ts). One name means one thing in all commands.
import { AUDIT_ACTION_NAMES } from '../observe/audit/schema.ts'

export interface OptionRow {
  /** What stands behind it; an option without is there or not. */
  readonly value?: string
  readonly says: string
  /** All that it can be, for completion. */
  readonly oneOf?: readonly string[]
}

export const OPTIONS = {
  config: { value: 'FILE', says: 'the configuration; default: CHARTGATE_CONFIG, else where one is looked for' },
  file: { value: 'FILE', says: 'the accounts file; default: the first .yaml or .yml one of the configuration' },
  json: { says: 'prints JSON, for programs' },
  charts: { says: 'also which files of the embedded repository are in no index, and why' },
  upstream: { says: 'also whether the chart repository answers as it is configured' },
  as: { value: 'SUBJECT', says: 'user:NAME, robot:NAME, group:NAME, anonymous, authenticated, or an account\'s name' },
  who: { says: 'lists who may do it, and by which rule' },
  token: {
    value: 'TOKEN',
    says: 'a token; - reads it from standard input; explain: or a robot\'s secret; revoke: or its id'
  },
  subject: { value: 'SUBJECT', says: 'user:NAME, robot:NAME, cert:NAME, ci:PROVIDER:NAME, key:master or anonymous' },
  'token-file': { value: 'FILE', says: 'a file that holds a token or a robot\'s secret' },
  alg: { value: 'ALG', says: 'RS256, ES256 or EdDSA; default: as before', oneOf: ['RS256', 'ES256', 'EdDSA'] },
  out: { value: 'FILE', says: 'writes the key there; default: standard output' },
  groups: { value: 'GROUPS', says: 'the groups that it is in, with commas between them' },
  expires: { value: 'TIME', says: 'when the new secret ends: 90d, 12h, or never' },
  keep: { value: 'TIME', says: 'how long the old secret still counts: 7d (the default), 12h, or 0' },
  tenant: { value: 'TENANT', says: 'only what is of this tenant, and requests for tokens for it' },
  since: { value: 'TIME', says: 'only what is not older: 24h, 7d, or 2026-11-29T08:00:00Z' },
  actor: { value: 'SUBJECT', says: 'only what they did: user:alice, or alice' },
  action: { value: 'ACTION', says: 'only this', oneOf: AUDIT_ACTION_NAMES },
  unfinished: { says: 'only intents without an outcome: changes of which nobody recorded what became of them' },
  live: { says: 'asks whether the process lives (/healthz), not whether it is ready (/readyz)' },
  dir: { value: 'DIR', says: 'where the charts lie' },
  port: { value: 'PORT', says: 'the port; 0 is any free one' },
  depth: { value: 'DEPTH', says: 'how many path segments name a tenant: 0, 1, 2, …, or dynamic' },
  situation: {
    value: 'SITUATION',
    says: 'embedded (charts lie here), or basic or bearer (in a ChartMuseum, asked like that)',
    oneOf: ['embedded', 'basic', 'bearer']
  },
  'public-url': { value: 'URL', says: 'the URL that clients use' },
  'upstream-url': { value: 'URL', says: 'where ChartMuseum is' },
  'upstream-username': { value: 'NAME', says: 'its user, for basic' },
  'context-path': { value: 'PATH', says: 'the path that ChartMuseum is run below; default: none' },
  'state-dir': {
    value: 'DIR',
    says: 'where keys, uploads and charts lie; default: as configured, else ./data'
  },
  'public-key': { value: 'FILE', says: 'checks tokens with this key; without it only 127.0.0.1 is listened on' }
} as const satisfies Record<string, OptionRow>

export type Option = keyof typeof OPTIONS

/** What was given, by name: a text, or true for an option that nothing follows. */
export type Options = {
  readonly [Name in Option]?: typeof OPTIONS[Name] extends { readonly value: string } ? string : boolean
}

/** The row of an option; undefined for one that there is not. */
export function optionRow (name: string): OptionRow | undefined {
  return Object.hasOwn(OPTIONS, name) ? OPTIONS[name as Option] : undefined
}
