// The cm-push plugin under real Helm 3 and 4: the walkthrough of ChartMuseum's own
// documentation of authentication, word for word, every way to name a repository and to
// log in, at the root and under a base path; and what it prints when it is refused.
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { expiredTokenFor, inFrontOfEach, keep, tokenFor, type ClientLab, type Mounts } from '../helpers/client-lab.ts'
import { cmPush, installCmPush, installCmPushAsItShips, NO_CM_PUSH } from '../helpers/cm-push.ts'
import { startGateway } from '../helpers/gateway.ts'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { helmVersions, runHelm, type Helm } from '../helpers/helm.ts'
import { notTried } from '../helpers/not-tried.ts'
import { freePorts, ROOT, temporaryFolder, type Environment, type RunResult } from '../helpers/processes.ts'
import { newMasterKey } from '../helpers/secrets.ts'

const [OWN, OTHER] = ['org1/repo1', 'org2/repo2']
const SCOPE = `artifact-repository:${OWN}:pull,push`
/** What the plugin says before whatever comes next. */
const PUSHING = /^Pushing mychart-\d\.\d\.\d\.tgz to \S+\.\.\.\n/

/** Helm with the plugin, mychart/ in the working directory and this environment. */
type Run = (env: Environment, ...args: string[]) => Promise<RunResult>

t.setTimeout(BUILD_LIMIT)
const helms = await helmVersions()
if (!helms.ok) await notTried(t, 'real Helm', helms.reason)
else if (cmPush === undefined) await t.test('cm-push', { skip: NO_CM_PUSH }, () => {})
else {
  for (const helm of helms.versions) {
    const mounts: Mounts[] = helm.name === 'helm3' ? [{}, { basePath: '/charts/helm', contextPath: '/cm' }] : [{}]
    for (const mount of mounts) {
      await t.test(`${helm.name}, the gateway at ${mount.basePath ?? ''}/`, async t => {
        await inFrontOfEach(t, async (t, lab) => { await usePlugin(t, lab, await newHome(t, helm, lab)) }, mount)
      })
    }
  }
  await t.test('a chart that is too large, and a repository that is away, are sentences too', async t => { await troubles(t, helms.versions[0] as Helm) })
  await t.test('Helm 4 takes the plugin, as it ships, for a getter alone', async t => { await asItShips(t, helms.versions) })
}

async function newHome (t: Test, helm: Helm, lab: ClientLab): Promise<Run> {
  const home = await temporaryFolder(t)
  const plugins = join(home, 'plugins')
  await installCmPush(plugins, helm)
  await cp(join(ROOT, 'examples', 'mychart'), join(home, 'mychart'), { recursive: true })
  return async (env, ...args) => keep(lab, args.slice(0, 2).join(' '), await runHelm(helm, args, { home, env: { HELM_PLUGINS: plugins, HELM_REPO_USE_HTTP: 'true', ...env } }))
}

async function usePlugin (t: Test, lab: ClientLab, run: Run): Promise<void> {
  const { gateway, alice, ci } = lab
  const repo = `${gateway.url}/${OWN}`
  const token = { HELM_REPO_ACCESS_TOKEN: await tokenFor(lab, ci, SCOPE) }
  const pushed = (to: string): { code: number, stdout: string } => ({ code: 0, stdout: `Pushing mychart-0.1.0.tgz to ${to}...\nDone.\n` })

  await t.test('the walkthrough: add, push, update, pull', async t => {
    t.match(await run(token, 'repo', 'add', 'x', repo.replace('http:', 'cm:')), { code: 0, stdout: '"x" has been added' })
    t.match(await run(token, 'cm-push', 'mychart/', 'x'), pushed('x'))
    t.match(await run(token, 'repo', 'update'), { code: 0, stdout: 'Successfully got an update from the "x" chart repository' })
    t.match(await run(token, 'pull', 'x/mychart'), { code: 0 })
    t.match(await run(token, 'show', 'chart', 'x/mychart'), { code: 0, stdout: 'version: 0.1.0' })
  })
  await t.test('every way to name a repository and to log in', async t => {
    const ways: [name: string, env: Environment, args: string[]][] = [
      ['by URL', token, [repo]],
      ['by URL, with a robot\'s secret for a token', {}, [repo, '--access-token', ci.password]],
      ['by name, with user and password', {}, ['x', '--username', alice.username, '--password', alice.password]],
      ['by URL, with user and password of the environment', { HELM_REPO_USERNAME: ci.username, HELM_REPO_PASSWORD: ci.password }, [repo]]
    ]
    for (const [i, [name, env, args]] of ways.entries()) t.match(await run(env, 'cm-push', '--version', `1.${i}.0`, 'mychart/', ...args), { code: 0, stdout: /\.\.\.\nDone\.\n$/ }, name)
    t.match(await run(token, 'repo', 'update'), { code: 0 })
    t.match(await run(token, 'pull', 'x/mychart', '--version', '1.3.0'), { code: 0 })
  })
  await t.test('--context-path spares the look at the index, and so the right to pull', async t => {
    const pushOnly = { HELM_REPO_ACCESS_TOKEN: await tokenFor(lab, ci, `artifact-repository:${OWN}:push`) }
    isSentence(t, await run(pushOnly, 'cm-push', '--version', '2.0.0', 'mychart/', repo), '401: unauthorized')
    const contextPath = new URL(gateway.url).pathname
    t.match(await run(pushOnly, 'cm-push', '--version', '2.0.0', '--context-path', contextPath, 'mychart/', repo), { code: 0, stdout: /Done\.\n$/ })
  })
  await t.test('--force is a right of its own', async t => {
    isSentence(t, await run(token, 'cm-push', 'mychart/', 'x'), '409: chart already exists', PUSHING)
    isSentence(t, await run(token, 'cm-push', '--force', 'mychart/', 'x'), '401: unauthorized', PUSHING)
    isSentence(t, await run({}, 'cm-push', '--force', '-u', 'ci', '-p', ci.password, 'mychart/', 'x'), `403: forbidden: overwrite on ${OWN} is not allowed`, PUSHING)
    t.match(await run({}, 'cm-push', '--force', '-u', 'alice', '-p', alice.password, 'mychart/', 'x'), pushed('x'))
  })
  await t.test('every refusal is a sentence', async t => { await refusals(t, lab, run) })
}

async function refusals (t: Test, lab: ClientLab, run: Run): Promise<void> {
  const { gateway, ci, reader, expired } = lab
  const repo = `${gateway.url}/${OWN}`
  const ended = await expiredTokenFor(lab, ci, SCOPE)
  const basic = (username: string, password: string): string[] => ['-u', username, '-p', password]
  const cases: [name: string, args: string[], error: string, before: RegExp][] = [
    ['no credentials', ['mychart/', 'x'], '401: unauthorized', PUSHING],
    ['no credentials, by URL', ['mychart/', repo], '401: unauthorized', /^/],
    ['a wrong password', [...basic('ci', 'wrong'), 'mychart/', 'x'], '401: unauthorized', PUSHING],
    ['an expired token', ['--access-token', ended, 'mychart/', 'x'], '401: unauthorized', PUSHING],
    ['a secret that has ended', ['--access-token', expired.password, 'mychart/', 'x'], '401: unauthorized', PUSHING],
    ['a robot that may only pull', [...basic('reader', reader.password), 'mychart/', 'x'], `403: forbidden: push on ${OWN} is not allowed`, PUSHING],
    ['the same as a token', ['--access-token', reader.password, 'mychart/', 'x'], '401: unauthorized', PUSHING],
    ["another tenant's URL", [...basic('ci', ci.password), 'mychart/', `${gateway.url}/${OTHER}`], `403: forbidden: pull on ${OTHER} is not allowed`, /^/],
    ['a URL that is too short', [...basic('ci', ci.password), 'mychart/', `${gateway.url}/org1`], '404: not found: this path names a tenant of 1 part, and a tenant has 2 parts here (charts.depth)', /^/]
  ]
  for (const [name, args, error, before] of cases) isSentence(t, await run({}, 'cm-push', '--version', '3.0.0', ...args), error, before, name)
  const added = await run({}, 'repo', 'add', 'y', repo.replace('http:', 'cm:'), '--username', 'ci', '--password', ci.password)
  t.match(added, { code: 1, stderr: /^Error: 401: unauthorized\n/ }, 'Helm gives its --username to nobody who speaks cm://')
}

/** The plugin's one line, which it takes from the JSON of an answer; how to use it follows. */
function isSentence (t: Test, { code, stdout, stderr }: RunResult, sentence: string, before = /^/, name = sentence): void {
  t.equal(code, 1, name)
  t.match(stdout, before, name)
  t.equal(stderr.split('\n')[0], `Error: ${sentence}`, name)
}

/** What the repository behind the gateway or the chart itself is the reason of. */
async function troubles (t: Test, helm: Helm): Promise<void> {
  const masterKey = newMasterKey()
  const [nobody] = await freePorts(1)
  const cases: [config: object, error: string][] = [
    [{ charts: { maxUploadSize: '100B' } }, '413: request too large: at most 100 bytes'],
    [{ upstream: { url: `http://127.0.0.1:${nobody}`, auth: 'none' } }, '502: the chart repository cannot be reached']
  ]
  for (const [config, error] of cases) {
    const { url } = await startGateway(t, { masterKey, ...config })
    const home = await temporaryFolder(t)
    const env = { HELM_PLUGINS: join(home, 'plugins'), HELM_REPO_ACCESS_TOKEN: masterKey }
    await installCmPush(env.HELM_PLUGINS, helm)
    isSentence(t, await runHelm(helm, ['cm-push', '--context-path', '/', join(ROOT, 'examples', 'mychart'), `${url}/${OWN}`], { home, env }), error, PUSHING)
  }
}

async function asItShips (t: Test, versions: readonly Helm[]): Promise<void> {
  for (const helm of versions) {
    const home = await temporaryFolder(t)
    const env = { HELM_PLUGINS: join(home, 'plugins') }
    await installCmPushAsItShips(env.HELM_PLUGINS)
    const version = await runHelm(helm, ['cm-push', '--check-helm-version'], { home, env })
    if (helm.name === 'helm3') t.match(version, { code: 0, stdout: /^3\n$/ })
    else t.match(version, { code: 1, stderr: 'unknown command "cm-push" for "helm"' })
  }
}
