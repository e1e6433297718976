// Real Helm, cm-push and oras with the token that a real OpenID provider gives: nothing else to
// log in with, and only what the rule gives.
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { cmPush, installCmPush } from '../helpers/cm-push.ts'
import { serveFile, startGateway, type Gateway } from '../helpers/gateway.ts'
import { BUILD_LIMIT, goTool } from '../helpers/go-tool.ts'
import { helmVersions, runHelm, succeed, useRepository, packageExample, type Helm } from '../helpers/helm.ts'
import { notTried } from '../helpers/not-tried.ts'
import { ARCHIVE_TYPE, digestOfBytes } from '../helpers/oci.ts'
import { startOpenIdProvider, type OpenIdProvider } from '../helpers/oidc.ts'
import { chartOf } from '../helpers/packages.ts'
import { ROOT, run, temporaryFolder, type RunResult } from '../helpers/processes.ts'
import { recordToken } from '../helpers/secrets.ts'
import { until } from '../helpers/until.ts'

const AUDIENCE = 'https://charts.example.test'

t.setTimeout(BUILD_LIMIT)
const helms = await helmVersions()
if (!helms.ok) await notTried(t, 'real Helm', helms.reason)
else for (const helm of helms.versions) await t.test(`${helm.name} pushes and pulls with the token of a job`, async t => { await pushAndPull(t, helm) })

const oras = await goTool('oras')
if (!oras.ok) await notTried(t, 'oras', oras.reason)
else await t.test('oras pushes and pulls with the token of a job', async t => { await useOras(t, oras.path) })

await t.test('in every worker a rule that is taken out ends what it let in, and what was exchanged for it', async t => {
  const [provider, another] = [await startOpenIdProvider(t, AUDIENCE), await startOpenIdProvider(t, AUDIENCE)]
  const file = join(await temporaryFolder(t), 'chartgate.yaml')
  const generic = { kind: 'generic', audience: AUDIENCE }
  const providers = [{ ...generic, name: 'build', issuer: provider.issuer }, { ...generic, name: 'once', issuer: another.issuer, exchangeOnce: true, clockSkew: '0s' }]
  const federation = (rules: readonly object[]): string => stringify({ workers: 2, federation: { providers, rules } })
  const rule = { match: { sub: 'build-7' }, subject: 'ci:build:{sub}', repositories: ['org1/*'], actions: ['pull'] }
  await writeFile(file, federation([{ ...rule, provider: 'build' }, { ...rule, provider: 'once' }]))
  const gateway = await serveFile(t, { file })
  const token = await provider.idTokenOf('build-7')
  const ask = async (credential: string): Promise<number[]> => {
    // Each on a connection of its own, so that both workers are asked.
    const asked = Array.from({ length: 12 }, async () => (await fetch(`${gateway.url}/org1/repo1/index.yaml`, { headers: { authorization: `Bearer ${credential}`, connection: 'close' } })).status)
    return [...new Set(await Promise.all(asked))]
  }
  const exchange = async (assertion: string): Promise<string | undefined> => {
    const body = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion, scope: 'artifact-repository:org1/repo1:pull' })
    const { access_token: got } = await (await fetch(`${gateway.url}/oauth/token`, { method: 'POST', body, headers: { connection: 'close' } })).json() as { access_token?: string }
    return got === undefined ? undefined : recordToken(got)
  }
  const exchanged = await exchange(token) as string
  const exchanges = async (assertion: string): Promise<number> => (await Promise.all(Array.from({ length: 12 }, async () => await exchange(assertion)))).filter(got => got !== undefined).length
  let single = ''
  // The first seconds belong to what was before it was remembered.
  t.equal(await until(async () => {
    single = await another.idTokenOf('build-7')
    return await exchanges(single) || undefined
  }), 1, 'what counts once counts once for all workers')
  t.strictSame([await ask(token), await ask(exchanged)], [[200], [200]])
  await writeFile(file, federation([]))
  await until(async () => [...await ask(token), ...await ask(exchanged)].every(status => status === 401) ? true : undefined)
})

async function lab (t: Test): Promise<{ readonly gateway: Gateway, readonly provider: OpenIdProvider }> {
  const provider = await startOpenIdProvider(t, AUDIENCE)
  const gateway = await startGateway(t, {
    federation: {
      providers: [{ name: 'build', issuer: provider.issuer, kind: 'generic', audience: AUDIENCE }],
      rules: [
        { provider: 'build', match: { sub: 'build-7' }, subject: 'ci:build:{sub}', repositories: ['org1/*'], actions: ['pull', 'push'] },
        { provider: 'build', match: { sub: 'reader' }, subject: 'ci:build:{sub}', repositories: ['org1/*'], actions: ['pull'] }
      ]
    }
  })
  return { gateway, provider }
}

async function pushAndPull (t: Test, helm: Helm): Promise<void> {
  const { gateway, provider } = await lab(t)
  const url = `${gateway.url}/org1/repo1`
  const token = await provider.idTokenOf('build-7')
  const chart = await packageExample(t, helm)
  const push = async (authorization: string): Promise<number> => (await fetch(`${gateway.url}/api/org1/repo1/charts`, { method: 'POST', body: chart, headers: { authorization } })).status
  t.equal(await push(`Bearer ${await provider.idTokenOf('reader')}`), 401)
  t.equal(await push(`Bearer ${await provider.idTokenOf('stranger')}`), 401)
  t.equal(await push(`Bearer ${token}`), 201)
  await useRepository(t, helm, url, ['--username', 'ci', '--password', token], chart)
  const home = await temporaryFolder(t)
  t.match(await runHelm(helm, ['repo', 'add', 'other', `${gateway.url}/org2/repo2`, '--username', 'ci', '--password', token], { home }), { code: 1, stderr: '403 Forbidden' })
  const host = new URL(gateway.url).host
  await succeed(t, helm, ['registry', 'login', host, '-u', 'ci', '-p', token, '--plain-http'], { home })
  await succeed(t, helm, ['pull', `oci://${host}/org1/repo1/mychart`, '--version', '0.1.0', '--plain-http'], { home })
  t.ok((await readFile(join(home, 'mychart-0.1.0.tgz'))).equals(chart), 'also from the registry')
  t.not((await runHelm(helm, ['pull', `oci://${host}/org2/repo2/mychart`, '--version', '0.1.0', '--plain-http'], { home })).code, 0)
  await writeFile(join(home, 'pushed-0.3.0.tgz'), await chartOf('pushed', '0.3.0'))
  await succeed(t, helm, ['push', 'pushed-0.3.0.tgz', `oci://${host}/org1/repo1`, '--plain-http'], { home })
  t.not((await runHelm(helm, ['push', 'pushed-0.3.0.tgz', `oci://${host}/org2/repo2`, '--plain-http'], { home })).code, 0)
  if (cmPush === undefined) return
  await installCmPush(join(home, 'plugins'), helm)
  await cp(join(ROOT, 'examples', 'mychart'), join(home, 'mychart'), { recursive: true })
  await succeed(t, helm, ['repo', 'add', 'charts', url, '--username', 'ci', '--password', token], { home })
  const env = { HELM_PLUGINS: join(home, 'plugins') }
  t.match(await runHelm(helm, ['cm-push', 'mychart/', 'charts', '--version', '0.2.0'], { home, env }), { code: 0, stdout: /Done\.\n$/ })
  t.match(gateway.stdout(), '"subject":"ci:build:build-7"')
  t.notMatch(gateway.stdout(), token)
}

async function useOras (t: Test, path: string): Promise<void> {
  const { gateway, provider } = await lab(t)
  const token = await provider.idTokenOf('build-7')
  const chart = await chartOf('mychart', '0.1.0')
  const { status } = await fetch(`${gateway.url}/api/org1/repo1/charts`, { method: 'POST', body: chart, headers: { authorization: `Bearer ${token}` } })
  t.equal(status, 201)
  const home = await temporaryFolder(t)
  const say = async (...args: string[]): Promise<RunResult> => await run(path, [...args, '--plain-http'], { cwd: home, env: { HOME: home, DOCKER_CONFIG: join(home, 'docker') } })
  const host = new URL(gateway.url).host
  t.match(await say('login', host, '-u', 'ci', '-p', token), { code: 0 })
  t.match(await say('pull', `${host}/org1/repo1/mychart:0.1.0`), { code: 0 })
  t.match(await say('blob', 'fetch', '--output', 'chart', `${host}/org1/repo1/mychart@${digestOfBytes(chart)}`), { code: 0 })
  t.ok((await readFile(join(home, 'chart'))).equals(chart))
  const pushed = await chartOf('pushed', '0.3.0')
  await writeFile(join(home, 'pushed-0.3.0.tgz'), pushed)
  const push = async (tenant: string): Promise<RunResult> => await say('push', `${host}/${tenant}/pushed:0.3.0`, `pushed-0.3.0.tgz:${ARCHIVE_TYPE}`)
  t.match(await push('org1/repo1'), { code: 0 })
  const answer = await fetch(`${gateway.url}/org1/repo1/charts/pushed-0.3.0.tgz`, { headers: { authorization: `Bearer ${token}` } })
  t.ok(Buffer.from(await answer.arrayBuffer()).equals(pushed), 'and it is a chart at the classic URL')
  t.not((await push('org2/repo2')).code, 0)
  t.not((await say('login', host, '-u', 'ci', '-p', await provider.idTokenOf('stranger'))).code, 0)
}
