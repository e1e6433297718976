// The documents that are made from the configuration's schema, so that they cannot
// drift: the commented example, the reference and the JSON Schema for editors. A test
// compares them; `npm run docs:config` writes them.
import { stringify } from 'yaml'
import { leaves, type SchemaNode } from '../src/files/nodes.ts'
import { RELOAD_OF, RELOADS, WHY_A_RESTART, type ConfigKey } from '../src/config/reloads.ts'
import { ConfigSchema, variableOf } from '../src/config/schema.ts'
import { FEDERATION_KINDS, KINDS } from '../src/identity/federation/kinds.ts'
import { wordsOf } from '../src/config/federation-rules.ts'
import { EXAMPLES } from './config-examples.ts'

const HEAD = `# Every key with its default. Copy what you change; \`chartgate check --config FILE\`
# reports every mistake. Below what a key is for stands what it takes, and the environment
# variable that sets it too; a secret may also be in a file that a variable names.
# yaml-language-server: $schema=chartgate.schema.json
`

/** config/chartgate.example.yaml */
export function exampleYaml (): string {
  return HEAD + mapping(ConfigSchema, [], 0)
}

function mapping (node: SchemaNode, path: readonly string[], depth: number): string {
  const indent = '  '.repeat(depth)
  let text = ''
  for (const [name, child] of Object.entries(node.properties as NonNullable<SchemaNode['properties']>)) {
    const place = [...path, name]
    if (depth === 0) text += '\n'
    if (child.properties !== undefined) text += `${indent}${name}:\n${mapping(child, place, depth + 1)}`
    else {
      text += `${indent}# ${child.description}\n${indent}#   ${[child.expected, ...variablesOf(place, child)].join(', ')}\n`
      // The default of publicUrl depends on another key.
      text += name === 'publicUrl' ? `${indent}# publicUrl: http://localhost:5001\n` : `${indent}${name}: ${stringify(child.default).trim()}\n`
      if (name === 'policy') text += '# policy:\n#   - repositories: ["public/*"]\n#     subjects: [anonymous]\n#     actions: [pull]\n'
    }
  }
  return text
}

function variablesOf (path: readonly string[], { type, secret }: SchemaNode): string[] {
  if (type === 'array') return []
  return secret === true ? [variableOf(path), `${variableOf(path)}_FILE`] : [variableOf(path)]
}

/** docs/configuration.md */
export function referenceMarkdown (): string {
  const rows = leaves(ConfigSchema).map(({ path, node }) => {
    const key = path.join('.') as ConfigKey
    const why = WHY_A_RESTART[key]
    const when = RELOADS[RELOAD_OF[key]] + (why === undefined ? '' : `: ${why}`)
    const variables = variablesOf(path, node).map(name => `\`${name}\``)
    return `| \`${key}\` | ${node.expected} | \`${JSON.stringify(node.default)}\` | ${variables.join(', ')} | ${when} | ${node.description} |`
  })
  return `# Configuration

Made from \`src/config/schema.ts\` by \`npm run docs:config\`.

chartgate reads one YAML file, the first of these that is there:

1. the one that \`--config\` names,
2. the one that \`CHARTGATE_CONFIG\` names,
3. \`chartgate.yaml\` in the working directory, if it belongs to this user or to root and nobody else can write it; one that is passed over is said, with what to do,
4. \`/etc/chartgate/chartgate.yaml\`.

Without one the defaults hold. \`serve\` and \`check\` say which was read, or \`no configuration file: defaults\`. It is decided once: a running gateway keeps to its file.

The environment wins over the file. A variable that is set to nothing counts as not set, a file of a \`…_FILE\` variable that is empty is a mistake, and those that Kubernetes sets for Services (\`CHARTGATE_PORT=tcp://…\`, \`CHARTGATE_ADMIN_PORT=tcp://…\`, \`CHARTGATE_CHARTMUSEUM_SERVICE_HOST\`) are passed over as long as they have the form that Kubernetes gives them. Every mistake is reported at once: of the configuration and of the accounts files with file, line and column, of the environment with its variable. An unknown key is a mistake. Relative paths, also those in \`…_FILE\` variables, are relative to the file's folder, without a file to the working directory. [config/chartgate.example.yaml](../config/chartgate.example.yaml) has every key, and [config/chartgate.schema.json](../config/chartgate.schema.json) is for editors.

While it runs the file is read again when it changes, and so is every file that it or a \`…_FILE\` variable names; [what takes effect](operations.md#reload) says the fifth column.

| key | value | default | environment | takes effect | what it is |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

A rule of \`policy\` has \`repositories\` (tenant patterns by whole segments: \`*\` is one, \`**\` is the rest), \`subjects\` (\`user:NAME\`, \`group:NAME\`, \`robot:NAME\`, \`cert:NAME\`, \`authenticated\`, \`anonymous\`) and \`actions\` (\`pull\`, \`push\`, \`overwrite\`, \`delete\`). Rules only add; there is no order and no deny rule, and what \`anonymous\` may do, everyone may. [Accounts and policy](accounts.md) walks through both files.

A key of \`tokens.keys\` has \`file\`, \`alg\` (\`RS256\`, \`ES256\`, \`EdDSA\`) and \`state\` (\`active\`, \`verify\`, \`retired\`). An issuer of \`tokens.issuers\` has \`name\`, one of \`publicKey\`, \`jwksFile\` and \`jwksUrl\`, and may have \`issuer\`, \`audience\`, \`clockSkew\` (\`10s\`; at most \`5m\`) \`pushIncludes\` (\`overwrite\`, \`delete\`) and \`oci\` (\`true\`, \`false\`). [keys.md](keys.md) says what they do.

A provider of \`federation.providers\` has \`name\`, \`issuer\`, \`kind\` (\`github\`, \`gitlab\`, \`kubernetes\`, \`generic\`) and \`audience\`, and may have \`jwksUrl\` or \`jwksFile\` (left out: the discovery document of the issuer says where its keys are), \`ca\`, \`tokenFile\` (with \`jwksUrl\`), \`clockSkew\` (\`10s\`; at most \`5m\`) and \`exchangeOnce\` (\`true\`, \`false\`). A rule of \`federation.rules\` has \`provider\`, \`match\` (by claim a value, or a list of which one will do; to the letter) and \`subject\` (\`ci:WORD:\` and a name, with claims in braces), and gives \`repositories\` with \`actions\`, or \`groups\` that \`policy\` names, or both; \`maxLifetime\` (\`1h\`; from \`1m\` to \`24h\`) is how long after its issue a token counts at most. Of several rules that fit the first counts. [ci.md](ci.md) has jobs and the rules that belong to them.

## What a rule of federation has to say

A rule that does not say all of this is refused at the start, with the row that is missing. Claims are compared whole: no pattern, no beginning.

${kindsTable()}

Derived claims: \`workflow_file\` is the file name in GitHub's \`workflow_ref\`, of the repository itself; \`ci_config_file\` the path in GitLab's \`ci_config_ref_uri\`, of the project itself. A claim that is a list matches nothing. A token for several audiences is refused whatever they are.

## Examples

${examples()}

## What is checked beyond each key

* \`tokens.ttl\` is at least 60s.
* \`upstream.auth: basic\` needs \`upstream.username\` and \`upstream.password\`.
* \`masterKey\` has at least 16 characters; \`MASTERKEY\`, the demo's, works only with all listeners on loopback, unless \`allowDemoKey\` says otherwise.
* With \`redis.url\`, \`charts.index.maxAge\` is at most 10s; the other keys of \`redis\` need it, \`redis.tls\` a URL that begins with rediss:, and several hosts in that URL \`redis.sentinel\`.
* Values that become headers (\`tokens.service\`, credentials of the upstream) have no control characters, and a Basic user name has no colon.
* \`listen.tls.cert\` and \`listen.tls.key\` come together; \`listen.tls.clientCa\` needs them, and \`identity.certificates\` needs it. Each of those has one of \`subject\`, \`dns\`, \`email\` and \`uri\`, and no two have the same.
* Of \`tokens.keys\` exactly one is active. Names of \`tokens.issuers\` differ; a \`jwksUrl\` is https, or http on loopback; a \`clockSkew\` is at most 5m.
* Names of \`federation.providers\` differ. An issuer or \`jwksUrl\` is https, or http on loopback, and no issuer is chartgate's own or one of \`tokens.issuers\`; two providers of one issuer, and an issuer that every cluster may be called, have key sets of their own. A \`clockSkew\` is at most 5m.
* Listeners on one address have different ports.
* With \`authz.listen.port\` there are \`authz.trustedProxies\`, none of them everybody, and \`authz.dialect\`; and \`charts.contextPath\` is the path of \`publicUrl\`, because the chart repository gets the client's own path.
* With several \`workers\`, each one's share of \`charts.spool.maxBytes\` is at least \`charts.maxUploadSize\`.

## What happens at the start and at the end

* \`stateDir\` belongs to one chartgate with its workers: a second one that is started on it says so, and touches nothing.
* The keys of clients and of the upstream are two; the same key in both files is refused.
* An upstream that does not answer as it is configured is one \`error\` in the log when that begins, with the key to change, and one when it is over, with how long it lasted (\`seconds\`); clients are answered 502, or 503 at once when nothing answers at all ([what each fault looks like](operations.md#when-something-fails)), in between. It is looked at when the gateway starts, and whenever a request fails; while something is wrong again and again, after 1 s, 2 s, 4 s … 30 s. Wrong depth, wrong context path, wrong credentials, clocks that differ, another server, no route and nobody there are told from each other. \`chartgate check --upstream\` looks once, says which version of ChartMuseum it is, and warns when it gives a tenant's index to anybody.
* What may not be as it was meant is a warning, at the start, at a reload, once a day, and in \`check\`: nobody has any right, a robot's secret has ended or ends within 14 days, a rule is for nobody or for no tenant, the key set of a token server has no key that verifies.
* [The log and its reasons](reasons.md) has every field and every reason for a refusal.
* With several \`workers\` ([how they work together](architecture.md#several-workers)) \`/readyz\` is 503 until all of them listen. When one cannot, the start fails with its sentence. One that ends later is replaced, and the log says so; so is one that does not answer for 8 seconds, or in which threads or passwords to be checked do not move. \`auto\` counts the cores that the process may be scheduled on; a CPU quota, as of a container, it does not see: write a number there.
* On SIGTERM or SIGINT \`/readyz\` is 503 at once. For \`drain.delay\` clients are served as before, also over new connections, and each answer has \`Connection: close\`: so a load balancer that looks at \`/readyz\` takes the gateway out before it refuses anybody ([a rolling restart](operations.md#a-rolling-restart)). Then no new connection is taken, and running requests get 30 seconds; what still runs then is named in the log and cut off. A second signal ends the process at once. Give a supervisor 35 seconds and \`drain.delay\` or more before it kills (Kubernetes gives 30 by default). An end waits half a second for whoever reads the log, and for no thread that hangs on a disk: such an end is a SIGKILL that the process sends itself.
* SIGHUP and \`chartgate reload\` read everything again that can be ([operations.md](operations.md#reload)), changed or not, and the log says so; SIGHUP, sent to the first process or to all of them it is one wish. SIGQUIT, SIGUSR1 and SIGUSR2 do nothing. Before the program's first line runs, which takes a tenth of a second, Node does with a signal what it always does: SIGHUP, SIGQUIT and SIGUSR2 end it, and SIGUSR1 opens the debugger's port on loopback, which chartgate closes when it serves; with \`node --disable-sigusr1\` (Node 22.14 and 24, as in the image) it is never opened.
* The log waits for nobody. What its reader does not take waits in memory, up to 4 MiB in each process; what is beyond, or cannot be written to a full disk, is lost, counted, and said in one line (\`lines\`) as soon as the log is written again.
* Refusals are logged at \`warn\`, changes (uploads, deletes, tokens asked for with POST) at \`info\`, and with \`log.reads\` allowed reads at \`info\` too: \`log.level: warn\` leaves refusals, \`error\` neither.

## Probes

On the admin listener, as JSON:

| | 200 | 503 |
| --- | --- | --- |
| \`/healthz\` | the process answers | only a new process helps: its threads for files have not answered for 20 seconds, or no password has been checked for 60 while some waited; \`reason\` says which |
| \`/readyz\` | the chart repository answers its \`/health\` with 200 | it does not, the process is shutting down, no worker listens (yet), a worker has not answered for 3 seconds, or what makes \`/healthz\` 503 here or in a worker; \`reason\` says which |

Beside them \`/metrics\` says how the gateway is doing: [metrics and alerts](operations.md#metrics-and-alerts).

\`/readyz\` asks the chart repository each time. It does not say that the repository accepts the gateway's credential.

Let an orchestrator restart on \`/healthz\` (in Kubernetes \`livenessProbe\`, with \`timeoutSeconds: 5\`) and route by \`/readyz\` (\`readinessProbe\`), never the other way round: a chart repository that is away or slow is no reason to restart anything, and never makes \`/healthz\` 503. With one worker the probes share the event loop with the clients: when that stands still no probe is answered, which counts as a failure, and nobody but the orchestrator replaces the process. With several workers the process that answers the probes replaces them itself; while one of them hangs, \`/readyz\` is 503 for a few seconds, because the clients that came to it get nothing, and 200 again as soon as it is ended.
`
}

/** What pins a rule, by kind. */
function kindsTable (): string {
  const code = (words: readonly string[]): string => words.length === 0 ? '–' : words.map(word => `\`${word}\``).join(', ')
  const rows = FEDERATION_KINDS.map(kind => {
    const { rows, neverPins, event, refusedAudiences } = KINDS[kind]
    const pins = rows.map(row => `it says ${row.says}: ${wordsOf(row)} (${row.because})`).join('; ')
    const audiences = `the issuer and its host${refusedAudiences === undefined ? '' : `, \`${refusedAudiences.source.replaceAll('|', '\\|')}\``}`
    return `| \`${kind}\` | ${pins} | ${code(Object.keys(neverPins))} | ${audiences} | ${code(event?.vetoed ?? [])} |`
  })
  return ['| kind | what pins a rule | what never does | refused audiences | events that count only where they are named |', '| --- | --- | --- | --- | --- |', ...rows].join('\n')
}

/** A section for each part, in the order of the schema. */
function examples (): string {
  return Object.keys(ConfigSchema.properties as object).map(name =>
    `### ${name}\n\n${(EXAMPLES[name] as string).split('---\n').map(text => `\`\`\`yaml\n${text}\`\`\``).join('\n\n')}`).join('\n\n')
}

export type Json = Readonly<Record<string, unknown>>

/** config/chartgate.schema.json: for people's files, in which any key may be left out but those of a rule. */
export function jsonSchema (): string {
  return JSON.stringify(forEditors(ConfigSchema as unknown as Json, false), null, 2) + '\n'
}

/** A node of a schema in standard keywords alone, because strict validators refuse others. */
export function forEditors ({ expected, secret, required, ...node }: Json, inRule: boolean): Json {
  const { properties, items, anyOf, additionalProperties: values } = node as { properties?: Readonly<Record<string, Json>>, items?: Json, anyOf?: readonly Json[], additionalProperties?: Json | boolean }
  return {
    ...node,
    ...(inRule && required !== undefined ? { required } : {}),
    ...(properties === undefined ? {} : { properties: Object.fromEntries(Object.entries(properties).map(([name, child]) => [name, forEditors(child, inRule)])) }),
    ...(items === undefined ? {} : { items: forEditors(items, true) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(each => forEditors(each, inRule)) }),
    ...(typeof values === 'object' ? { additionalProperties: forEditors(values, inRule) } : {})
  }
}
