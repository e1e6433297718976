// Dot segments, in paths and in scopes: one reader takes `org1/..` for a name, another
// walks up. SciTokens CVE-2026-32727, heimdall CVE-2026-42274, Traefik CVE-2026-48020,
// ORY Oathkeeper commit 8e000214. ChartMuseum joins the tenant with a cleaning join, so
// that `org1/../org2/repo2` is the folder of org2/repo2 and a name below org1 at once.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import t, { type Test } from 'tap'
import type { Depth } from '../../src/words/tenant.ts'
import type { Config } from '../../src/config/schema.ts'
import { grant, startApp } from '../helpers/app.ts'
import { skipped } from '../helpers/not-tried.ts'
import { chartOf } from '../helpers/packages.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { sendRaw } from '../helpers/raw.ts'
import { bearer, isRefused, OTHER, OWN, shown, startTwoTenants } from '../helpers/two-tenants.ts'
import { findChartMuseum, OPEN, startChartMuseum } from '../repository/servers.ts'

// Every spelling of "one up" that some reader in the advisories took.
const UP = ['..', '%2e%2e', '%2E%2E', '.%2e', '%2e.', '%252e%252e', '%25%32%65%25%32%65', '..;', '..;x=y', '..%00', '..%20', '..%09', '%c0%ae%c0%ae', '%e0%80%ae%e0%80%ae', '%uff0e%uff0e', '..%5c', '..\\', '.', '%2e', '']
const SLASH = ['/', '%2f', '%2F', '%5c', '\\', '%252f']

const TARGETS = [
  ...UP.flatMap(up => [
    `/org1/repo1/${up}/${up}/org2/repo2/index.yaml`,
    `/org1/${up}/org2/repo2/index.yaml`,
    `/org1/repo1/charts/${up}/${up}/${up}/org2/repo2/charts/secret-1.0.0.tgz`,
    `/api/org1/repo1/${up}/${up}/org2/repo2/charts`,
    `/api/org1/${up}/org2/repo2/charts/secret/1.0.0`,
    `/${up}/org2/repo2/index.yaml`,
    `/org1/${up}/index.yaml`
  ]),
  ...SLASH.filter(slash => slash !== '/').flatMap(slash => [
    `/org1/repo1/charts/..${slash}..${slash}..${slash}org2/repo2/charts/secret-1.0.0.tgz`,
    `/org1/repo1/charts/..${slash}..${slash}..${slash}org2${slash}repo2${slash}secret-1.0.0.tgz`,
    `/org1/..${slash}org2${slash}repo2/index.yaml`,
    `/api/org1/repo1/charts/..${slash}..${slash}org2${slash}repo2${slash}secret/1.0.0`
  ])
]

/** Whoever asks has every right below org1, as a rule by pattern gives it. */
const BELOW_ORG1: Config['policy'] = [{ repositories: ['org1/**'], subjects: ['anonymous'], actions: ['pull', 'push', 'overwrite', 'delete'] }]

for (const depth of [2, 'dynamic'] as Depth[]) {
  await t.test(`no dot segment walks out of a tenant at depth ${depth}, by a token or by a rule for org1/**`, async t => {
    const tenants = await startTwoTenants(t, config => ({ ...config, charts: { ...config.charts, depth }, policy: BELOW_ORG1 }))
    for (const target of TARGETS) {
      for (const [method, authorization] of [['GET', undefined], ['GET', null], [target.startsWith('/api/') ? 'DELETE' : 'HEAD', null]] as const) {
        isRefused(t, tenants, await tenants.ask(method, target, { authorization }), `${method} ${shown(target)}`)
      }
    }
    t.equal((await tenants.ask('GET', '/org1/repo1/index.yaml')).body, '{"entries":{},"body":"own"}', 'the plain form is served')
  })
}

await t.test('a scope with a dot segment grants nothing, and a token with one opens nothing', async t => {
  const tenants = await startTwoTenants(t, config => ({ ...config, charts: { ...config.charts, depth: 'dynamic' }, policy: BELOW_ORG1 }))
  const { gateway, ask } = tenants
  for (const up of UP.filter(up => up !== '')) {
    for (const name of [`org1/${up}/org2/repo2`, `${up}/org2/repo2`, `${OWN}/${up}/${up}/org2/repo2`]) {
      for (const authorization of [null, `Bearer ${gateway.masterKey}`]) {
        const answer = await ask('GET', `/oauth/token?scope=${encodeURIComponent(`artifact-repository:${name}:pull`)}`, { authorization })
        const granted = answer.status === 200 ? decodeJwt((JSON.parse(answer.body) as { token: string }).token)['access'] : []
        t.same(granted, [], `the scope ${name}`)
      }
      const authorization = await bearer(gateway, grant(name, 'pull'))
      for (const target of [`/${OTHER}/index.yaml`, `/${name}/index.yaml`]) isRefused(t, tenants, await ask('GET', target, { authorization }), `${target} with a token for ${name}`)
    }
  }
})

await t.test('a real ChartMuseum that would follow them is never asked to', async t => {
  if (findChartMuseum() === undefined) return await skipped(t, 'dot segments before a real ChartMuseum', 'no chartmuseum on the PATH')
  for (const depth of [2, 'dynamic'] as Depth[]) await t.test(`at depth ${depth}`, async t => { await beforeChartMuseum(t, depth) })
})

/** ChartMuseum authenticates nobody here; the canary lies in the other tenant's folder. */
async function beforeChartMuseum (t: Test, depth: Depth): Promise<void> {
  const storage = await temporaryFolder(t)
  const canary = join(storage, OTHER, 'secret-1.0.0.tgz')
  const secret = await chartOf('secret', '1.0.0')
  for (const [folder, name, chart] of [[OWN, 'mychart', await chartOf('mychart', '1.0.0')], [OTHER, 'secret', secret]] as const) {
    await mkdir(join(storage, folder), { recursive: true })
    await writeFile(join(storage, folder, `${name}-1.0.0.tgz`), chart)
  }
  // ChartMuseum lists the root with this one, when a dot segment leads there
  await writeFile(join(storage, 'secret-1.0.0.tgz'), secret)
  const { port } = await startChartMuseum(t, storage, { ...OPEN, depth })
  const gateway = await startApp(t, {
    origin: `http://127.0.0.1:${port}`,
    config: config => ({ ...config, charts: { ...config.charts, depth }, policy: BELOW_ORG1, upstream: { ...config.upstream, auth: 'none' } })
  })
  const ask = async (port: number, method: string, target: string): Promise<string> => (await sendRaw(port, Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, 'latin1'))).text
  const leaks = (text: string): boolean => text.startsWith('HTTP/1.1 2') && (text.includes('secret') || text.includes(secret.toString('latin1')))

  t.ok(leaks(await ask(port, 'GET', depth === 2 ? '/org1/../index.yaml' : '/org1/../org2/repo2/index.yaml')), 'ChartMuseum itself walks out')
  t.match(await ask(gateway.port, 'GET', `/${OWN}/index.yaml`), 'mychart', 'the own tenant is served')
  for (const target of TARGETS) {
    for (const method of ['GET', 'DELETE']) t.notOk(leaks(await ask(gateway.port, method, target)), `${method} ${shown(target)}`)
  }
  t.ok((await readFile(canary)).equals(secret), 'the canary is alive')
}
