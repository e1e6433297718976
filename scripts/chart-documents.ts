// The files of the Helm chart that are made of others, so that they cannot drift: values.yaml,
// values.schema.json and README.md of chart-values.ts, files/unfollowed.yaml of reloads.ts,
// alerts and dashboard of deploy/. A test compares them; `npm run docs:chart` writes them.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { isLive, RELOAD_OF } from '../src/config/reloads.ts'
import type { Json } from './config-documents.ts'
import { CHART_VALUES, isValue, type ChartValue, type ChartValues } from './chart-values.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/dist[/\\]$/, '')
const WIDTH = 98

/** What is made, by its path in the project. */
export const CHART_DOCUMENTS: Readonly<Record<string, () => Promise<string> | string>> = {
  'deploy/chartgate/values.yaml': valuesYaml,
  'deploy/chartgate/values.schema.json': valuesSchema,
  'deploy/chartgate/README.md': readme,
  'deploy/chartgate/files/unfollowed.yaml': unfollowedYaml,
  'deploy/chartgate/files/alerts.yaml': async () => await copyOf('deploy/prometheus/alerts.yaml'),
  'deploy/chartgate/files/dashboard.json': async () => await copyOf('deploy/grafana/chartgate.json')
}

async function copyOf (file: string): Promise<string> {
  return await readFile(ROOT + file, 'utf8')
}

function valuesYaml (): string {
  const head = wrapped('Values of the chart chartgate, each with what it is, and why one would change it. Made from ' +
    'scripts/chart-values.ts by `npm run docs:chart`.', '')
  return `${head}\n${Object.entries(CHART_VALUES).map(([name, node]) => block(name, node, '')).join('\n')}`
}

function block (name: string, node: ChartValue | ChartValues, indent: string): string {
  if (!isValue(node)) {
    return `${indent}${name}:\n${Object.entries(node).map(([each, child]) => block(each, child, `${indent}  `)).join('')}`
  }
  const comment = wrapped(`${node.what}. Why change it: ${node.why}.`, indent)
  const value = stringify({ [name]: node.default }).replace(/^(?=.)/gm, indent)
  return comment + value
}

/** A comment of lines that fit on a screen. */
function wrapped (sentences: string, indent: string): string {
  const lines: string[] = ['']
  for (const word of sentences.split(' ')) {
    const last = lines.at(-1) as string
    if (`${indent}# ${last} ${word}`.length > WIDTH) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines.map(line => `${indent}# ${line}\n`).join('')
}

function valuesSchema (): string {
  const { properties, ...schema } = schemaOf(CHART_VALUES)
  return JSON.stringify({
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart chartgate',
    ...schema,
    // Helm itself puts `global` among the values of a chart that another one depends on.
    properties: { ...properties as Json, global: { type: 'object' } }
  }, null, 2) + '\n'
}

/** What takes another pod: the templates look into the values for each of these. */
function unfollowedYaml (): string {
  const head = wrapped('Keys of the configuration whose change a running gateway does not follow, or not each. Made from ' +
    'src/config/reloads.ts by `npm run docs:chart`.', '')
  return head + stringify(Object.keys(RELOAD_OF).filter(key => !isLive(key)))
}

function schemaOf (values: ChartValues): Json {
  const properties = Object.fromEntries(Object.entries(values).map(([name, node]) => {
    if (!isValue(node)) return [name, schemaOf(node)]
    const { $schema, title, ...schema } = node.schema
    return [name, { ...schema, description: node.what }]
  }))
  return { type: 'object', properties, additionalProperties: false }
}

function rows (values: ChartValues, path: readonly string[] = []): string[] {
  return Object.entries(values).flatMap(([name, node]) => {
    const place = [...path, name]
    if (!isValue(node)) return rows(node, place)
    const shown = JSON.stringify(node.default).replaceAll('|', '\\|')
    return [`| \`${place.join('.')}\` | \`${shown}\` | ${node.what} | ${node.why} |`]
  })
}

async function readme (): Promise<string> {
  const { version } = JSON.parse(await copyOf('package.json')) as { version: string }
  return `# chartgate ${version}: a Helm chart

Made from \`scripts/chart-values.ts\` by \`npm run docs:chart\`. [docs/kubernetes.md](../../docs/kubernetes.md) goes from nothing to \`helm repo add\`, and says how to move, upgrade, rotate keys and back up.

\`\`\`sh
docker build -t registry.example.com/chartgate:${version} . && docker push registry.example.com/chartgate:${version}
helm install chartgate deploy/chartgate --set image.repository=registry.example.com/chartgate
\`\`\`

| | what runs |
| --- | --- |
| no values | one gateway with the embedded repository: charts, keys and accounts on a PersistentVolumeClaim, which stays when the release goes |
| \`upstream.url\` | gateways in front of a ChartMuseum that is there |
| \`chartmuseum.enabled\` | gateways, and a ChartMuseum beside them that takes only their tokens |

* **What the chart adds to \`config\`**, where it is left out: \`listen\`, \`admin\` and (with a port) \`authz.listen\` on every address, \`stateDir\`, \`upstream.url\`, \`upstream.key.file\`, \`tokens.keys\` and \`accounts.files\` of the Secrets, \`listen.tls\`, and \`drain.delay: 10s\` where several gateways may run. [docs/configuration.md](../../docs/configuration.md) has every key.
* **Secrets** are in Secrets of yours: no template makes a key or a password. What the chart itself needs, keys with an upstream, a hook Job makes once, with \`chartgate keys secret\` and a Role for that Secret alone; it never changes one that is there, and the Secret stays when the release goes.
* **A change** of what takes effect at once ([docs/configuration.md](../../docs/configuration.md), fifth column: rules, accounts, keys of tokens, limits and more), and of what is in Secrets and files, is followed by the running pods, as soon as the kubelet has it (a minute or so). A change of any other key of \`config\` (\`files/unfollowed.yaml\` has them) is another pod template, and rolls.
* **Several gateways** need an upstream, keys from a Secret, and \`config.redis.url\`, or else \`config.charts.index.maxAge: 0s\` and one address of the upstream. Without Redis of each pod alone are counts of failed logins, tokens that \`chartgate revoke\` names, and what its registry has answered ([docs/scaling.md](../../docs/scaling.md)); with and without it open connections, and metrics, which Prometheus adds up.
* **An end**: SIGTERM makes \`/readyz\` 503, clients are served for \`drain.delay\`, and running requests get 30 seconds; \`terminationGracePeriodSeconds\` is the sum and five more. Where \`config.drain.delay\` is \`0s\` and others serve on, a \`preStop\` of 10 seconds stands in for it.
* **A proxy that asks** (\`config.authz\`, [docs/forward-auth.md](../../docs/forward-auth.md)) finds the gateways at a Service of their own, \`…-authz\`, of which no Ingress and no HTTPRoute of the chart knows. \`networkPolicy.authzFrom\` says whose pods reach it, and ChartMuseum.
* **Pods** are of the level "restricted" of the Pod Security Standards, without a service account token, on a read-only root.

| value | default | what it is | change it for |
| --- | --- | --- | --- |
${rows(CHART_VALUES).join('\n')}
`
}
