// What is in a line of the audit log? Tables of what is done and what comes of it, and one
// versioned schema of them: it gives the type, docs/audit.schema.json and, in every test that
// writes a line, the check of that line.
import { integer, mapping, oneOf, text, type Fitting, type Node } from '../../files/nodes.ts'

/** Changes when a reader of the last one would take a line for something else. */
export const AUDIT_SCHEMA = 'chartgate.audit/1'
/** What tells a line of this kind from the log's, where both are one stream. */
export const AUDIT_CATEGORY = 'audit'

/** Everything that is recorded, with what it is. */
export const AUDIT_ACTIONS = {
  pull: 'something was read, or refused to who wanted to read it',
  push: 'a new version was stored',
  overwrite: 'a version was stored over what was there (`?force`)',
  delete: 'a version was deleted',
  attach: 'a signature, an attestation or an SBOM was attached to a version',
  detach: 'one was deleted',
  'token.issue': 'a token was issued at /oauth/token',
  login: 'credentials came that are nobody\'s, or that do not count',
  request: 'what was asked is nothing that is served',
  'robot.create': 'a command added a robot',
  'robot.rotate': 'a command gave a robot a new secret',
  'robot.disable': 'a command disabled a robot',
  'robot.enable': 'a command took that back',
  'robot.delete': 'a command took a robot out',
  'user.add': 'a command added a user',
  'user.passwd': 'a command gave a user another password',
  'user.disable': 'a command disabled a user',
  'user.enable': 'a command took that back',
  'token.revoke': 'a command took a token back, or those of a subject',
  'keys.rotate': 'a command made a new key for tokens',
  'configuration.reload': 'a changed file of configuration, accounts or keys was read: in force now, or refused',
  'audit.lost': 'lines are missing here, because they could not be written'
} as const

export type AuditAction = keyof typeof AUDIT_ACTIONS
export const AUDIT_ACTION_NAMES = Object.keys(AUDIT_ACTIONS) as AuditAction[]

/** `denied`: by who they are and what they may; `failure`: for any other reason. */
export const AUDIT_OUTCOMES = ['success', 'failure', 'denied'] as const
export type AuditOutcome = typeof AUDIT_OUTCOMES[number]

export const ACTOR_KINDS = [
  'user', 'robot', 'cert', 'ci', 'key', 'issuer', 'anonymous', 'unknown', 'operator', 'process'
] as const
export const ACTOR_METHODS = ['basic', 'bearer', 'certificate', 'none', 'command'] as const

const told = (description: string): Node<string> => text({ description })
const sha256 = (description: string): Node<string> => text({ pattern: '^[0-9a-f]{64}$', description })
const UUID = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'

export const AuditSchema = mapping({
  category: oneOf([AUDIT_CATEGORY], { description: 'tells the line from lines of the log' }),
  schema: oneOf([AUDIT_SCHEMA], { description: 'name and version of this schema' }),
  event_id: text({ pattern: UUID, description: 'one for each event: an intent and its outcome share it' }),
  time: text({
    pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$',
    description: 'when the line was made; RFC 3339, UTC'
  }),
  phase: oneOf(['intent', 'outcome'], {
    description: '`intent`: a change is about to be made (`audit.required`); `outcome`: what became of it'
  }),
  action: oneOf(AUDIT_ACTION_NAMES, { description: 'what it is about' }),
  actor: mapping({
    subject: told('whose credentials came, such as user:alice; of a failed login the account that it was about'),
    kind: oneOf(ACTOR_KINDS, { description: 'what the subject is' }),
    method: oneOf(ACTOR_METHODS, { description: 'how the credentials came' })
  }, { description: 'who' }, {
    token_id: told('`jti` of the token that came'),
    key_id: told('`kid` of the key that signed it'),
    ids: mapping({}, { description: 'of a job: whose it is, by ids that the platform gives to nobody else' }, {
      repository_id: told('GitHub\'s `repository_id`'),
      repository_owner_id: told('GitHub\'s `repository_owner_id`'),
      project_id: told('GitLab\'s `project_id`'),
      namespace_id: told('GitLab\'s `namespace_id`'),
      run_id: told('GitHub\'s `run_id`, GitLab\'s `job_id`'),
      commit: told('`sha`: what was checked out'),
      namespace: told('the namespace in Kubernetes'),
      service_account_id: told('the uid of the service account in Kubernetes'),
      pod_id: told('the uid of the pod in Kubernetes'),
      subject_id: told('`sub` of any other issuer')
    }),
    name_hash: sha256('HMAC-SHA-256 of a name that is no account\'s, under the key in stateDir/audit.key')
  })
}, {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: AUDIT_SCHEMA
}, {
  outcome: oneOf(AUDIT_OUTCOMES, { description: 'what became of it; an intent has none' }),
  reason: text({ pattern: '^[a-z_]+$', description: 'why it was refused: a code of docs/reasons.md' }),
  tenant: told('of which tenant'),
  chart: told('the name of the chart'),
  version: told('its version'),
  file: told('the file in the repository'),
  digest: sha256('SHA-256 of the archive that was pushed, of the manifest of what was attached, or of the manifest ' +
    'or blob that was named by it at /v2/'),
  attached_to: sha256('of what was attached: SHA-256 of the manifest that it is attached to'),
  provenance: sha256('SHA-256 of the provenance file that was pushed'),
  size: integer({ minimum: 0, description: 'bytes of the archive, or of all that was attached' }),
  rule: told('what allowed it: places of rules, `token` or `master key`'),
  door: oneOf(['authz'], {
    description: 'a proxy asked whether the request may pass: `success` says that it was told yes, and not what ' +
      'became of it'
  }),
  request_id: told('the request, as X-Request-Id and the log have it'),
  trace_id: text({
    pattern: '^[0-9a-f]{32}$',
    description: 'of the trace that the request belongs to (W3C traceparent, from trusted proxies alone)'
  }),
  client: mapping({}, { description: 'from where' }, {
    address: told('the other end of the connection'),
    forwarded: told('whom a trusted proxy, which is that other end, said it is for')
  }),
  upstream_status: integer({
    minimum: 100, maximum: 599, description: 'what the chart repository answered last'
  }),
  duration_ms: integer({ minimum: 0, description: 'from the request to this line' }),
  token: mapping({
    asked: told('the scopes that were asked for')
  }, { description: 'of a token request' }, {
    granted: told('the scopes that the token has'),
    id: told('`jti` of the token that was issued'),
    key_id: told('`kid` of the key that signed it')
  }),
  object: told('the account, key or file that it is about'),
  detail: told('of a configuration that was refused: the mistakes'),
  lines: integer({ minimum: 1, description: 'of `audit.lost`: how many' })
})

/** A line, before it is one. */
export type AuditEvent = Fitting<typeof AuditSchema>
export type AuditActor = AuditEvent['actor']

/** The schema as programs and docs/audit.schema.json have it: an outcome says which, and an intent has none. */
export function auditJsonSchema (): object {
  const { properties, ...rest } = AuditSchema
  const isOutcome = { properties: { phase: { const: 'outcome' } } }
  const plain = JSON.stringify({ ...rest, properties }, (key, value: unknown) => key === 'expected' ? undefined : value)
  return {
    ...JSON.parse(plain) as object,
    if: isOutcome,
    then: { required: ['outcome'] },
    else: { not: { required: ['outcome'] } }
  }
}
