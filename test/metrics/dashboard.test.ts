// Dashboard and alerts ask for metrics that there are, and every metric is shown somewhere;
// promtool reads a real scrape, every query, and tries every alert.
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse, stringify } from 'yaml'
import { askLibrary } from '../../src/metrics/prom.ts'
import { METRICS } from '../../src/metrics/table.ts'
import { startGateway } from '../helpers/gateway.ts'
import { notTried } from '../helpers/not-tried.ts'
import { findProgram, ROOT, run, temporaryFolder } from '../helpers/processes.ts'
import { faultsOf, selectorsOf } from '../helpers/promql.ts'
import { ask, INDEX, KEY, startSeveral } from '../helpers/several.ts'

interface Dashboard {
  readonly panels: readonly { readonly title: string, readonly type: string, readonly targets?: readonly { readonly expr: string, readonly legendFormat: string }[] }[]
  readonly templating: { readonly list: readonly { readonly name: string, readonly query: string }[] }
}
interface Rule { readonly alert: string, readonly expr: string, readonly annotations: { readonly summary: string, readonly description: string, readonly runbook_url: string }, readonly labels: { readonly severity: string } }

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
const dashboard = JSON.parse(read('deploy/grafana/chartgate.json')) as Dashboard
const rules = (parse(read('deploy/prometheus/alerts.yaml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(group => group.rules)
const targets = dashboard.panels.flatMap(({ targets = [] }) => targets)
const variable = dashboard.templating.list.find(({ name }) => name === 'instance')?.query as string

await t.test('every query of the dashboard and of the alerts names metrics, labels and values that there are', async t => {
  const library = await askLibrary()
  t.ok(targets.length > 40 && rules.length > 5)
  t.same([...targets, ...rules, { expr: variable }].flatMap(({ expr }) => faultsOf(expr, library)), [])
})

await t.test('a query for something else would be found', async t => {
  const library = await askLibrary()
  const wrong = ['sum(chartgate_nothing)', 'chartgate_spool_bytes_total', 'rate(http_server_request_duration_seconds[1m])', 'chartgate_requests_total{status="200"}', 'chartgate_requests_total{outcome="good"}', 'chartgate_requests_total{outcome=~"failed|good"}', 'sum by (nobody) (chartgate_spool_bytes)', 'process_nothing', 'vector(1)']
  for (const query of wrong) t.equal(faultsOf(query, library).length, 1, query)
  t.same(faultsOf('up == 0', library), [])
})

await t.test('every metric of ours is in the dashboard or in an alert, or the table says why not', async t => {
  const shown = new Set([...targets, ...rules].flatMap(({ expr }) => selectorsOf(expr)).map(({ name }) => name.replace(/_(?:bucket|sum|count)$/, '')))
  for (const [name, { notShown }] of Object.entries(METRICS)) t.equal(shown.has(name), notShown === undefined, name)
})

await t.test('legends name labels that their query keeps', async t => {
  for (const { expr, legendFormat } of targets) {
    const kept = [...expr.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, names = '']) => names.split(',').map(name => name.trim()))
    for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) t.ok(kept.includes(label), `${legendFormat} of ${expr}`)
  }
})

await t.test('every alert has its paragraph in docs/operations.md, and every paragraph its alert', async t => {
  const headings = [...read('docs/operations.md').matchAll(/^### (Chartgate\w+)$/gm)].map(([, name]) => name)
  t.same(headings, rules.map(({ alert }) => alert))
  for (const { alert, annotations, labels } of rules) {
    t.equal(annotations.runbook_url, `docs/operations.md#${alert.toLowerCase()}`)
    t.ok(['page', 'ticket'].includes(labels.severity), alert)
    t.ok(annotations.summary !== '' && annotations.description.endsWith('.'), alert)
  }
})

const promtool = await findProgram('promtool')

/** What promtool says of a scrape: nothing, if all is as it should be. */
async function lint (t: Test, text: string): Promise<void> {
  const file = join(await temporaryFolder(t), 'scrape')
  await writeFile(file, text)
  const { code, stdout, stderr } = await run('sh', ['-c', '"$0" check metrics < "$1"', promtool as string, file])
  t.same({ code, stdout, stderr }, { code: 0, stdout: '', stderr: '' })
}

if (promtool === undefined) await notTried(t, 'metrics, queries and alerts with promtool', 'there is no promtool (apt-get install prometheus)')
else {
  await t.test('promtool reads all rules, and each alert comes when it should and not before', async t => {
    const checked = await run(promtool, ['check', 'rules', 'deploy/prometheus/alerts.yaml'])
    t.match(checked, { code: 0, stdout: `SUCCESS: ${rules.length} rules found` })
    const tested = await run(promtool, ['test', 'rules', 'deploy/prometheus/alerts.test.yaml'])
    t.match(tested, { code: 0 }, tested.stdout + tested.stderr)
    const cases = (parse(read('deploy/prometheus/alerts.test.yaml')) as { tests: { alert_rule_test: { alertname: string, exp_alerts: unknown[] }[] }[] }).tests.flatMap(each => each.alert_rule_test)
    for (const { alert } of rules) t.same(cases.filter(({ alertname }) => alertname === alert).map(each => each.exp_alerts.length), [0, 1], alert)
  })

  await t.test('promtool reads every query of the dashboard', async t => {
    const file = join(await temporaryFolder(t), 'queries.yaml')
    const queries = targets.map(({ expr }, i) => ({ record: `query:${i}`, expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*') }))
    await writeFile(file, stringify({ groups: [{ name: 'dashboard', rules: queries }] }))
    t.match(await run(promtool, ['check', 'rules', file]), { code: 0, stdout: `SUCCESS: ${queries.length} rules found` })
  })

  await t.test('promtool finds nothing to complain of in the scrape of one process and of two', async t => {
    const accounts = join(await temporaryFolder(t), 'accounts.yaml')
    await writeFile(accounts, stringify({ robots: [{ name: 'ci', secrets: [{ hash: `sha256:${'a'.repeat(64)}`, expires: '2100-01-01T00:00:00Z' }] }] }))
    const one = await startGateway(t, { masterKey: KEY, metrics: { tenants: true }, accounts: { files: [accounts] }, policy: [{ repositories: ['org1/repo1'], subjects: ['anonymous'], actions: ['pull'] }] })
    const two = await startSeveral(t)
    for (const gateway of [one, two]) {
      for (const path of [INDEX, '/oauth/token?scope=x', '/nothing', '/health']) await ask(gateway, path)
      const answer = await fetch(`${gateway.adminUrl}/metrics`)
      const text = await answer.text()
      t.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
      t.match(text, /^chartgate_requests_total\{route="index",action="pull",outcome="success",reason="none"\} 1$/m)
      if (gateway === one) t.match(text, /^chartgate_robot_secret_expiry_timestamp_seconds 4102444800$/m)
      await lint(t, text)
    }
  })
}
