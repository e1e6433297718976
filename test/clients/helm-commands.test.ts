// Every command of real Helm 3 and 4 that asks a repository, with the accounts of people
// and robots, and what Helm prints when it is refused: docs/clients.md says what to do
// then. In front of the embedded repository and of a real ChartMuseum it is the same.
import { access, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { expiredTokenFor, inFrontOfEach, keep, store, tokenFor, type ClientLab, type Login } from '../helpers/client-lab.ts'
import { startGateway } from '../helpers/gateway.ts'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { helmVersions, packageExample, runHelm, useRepository, type Helm } from '../helpers/helm.ts'
import { notTried } from '../helpers/not-tried.ts'
import { chartOf } from '../helpers/packages.ts'
import { freePorts, temporaryFolder, type RunResult } from '../helpers/processes.ts'
import { signedChart } from '../helpers/signed-chart.ts'

const [OWN, OTHER] = ['org1/repo1', 'org2/repo2']

/** Runs Helm in the same home as the last time. */
type Run = (...args: string[]) => Promise<RunResult>

t.setTimeout(BUILD_LIMIT)
const helms = await helmVersions()
if (!helms.ok) await notTried(t, 'real Helm', helms.reason)
else {
  for (const helm of helms.versions) {
    await t.test(helm.name, async t => { await inFrontOfEach(t, async (t, lab) => { await useHelm(t, helm, lab) }) })
    await t.test(`${helm.name} says that the repository behind the gateway is away, and that no TLS is there`, async t => { await troubles(t, helm) })
  }
}

async function useHelm (t: Test, helm: Helm, lab: ClientLab): Promise<void> {
  const { gateway, alice, ci, reader } = lab
  const example = await packageExample(t, helm)
  await store(lab, ci, OWN, example)
  const token = await tokenFor(lab, reader, `artifact-repository:${OWN}:pull`)
  const logins: [string, Login][] = [
    ['the password of a person', alice],
    ['the secret of a robot', reader],
    ['a token as the password', { username: 'any', password: token }]
  ]
  for (const [name, login] of logins) {
    await t.test(`adds, updates, searches, pulls, templates and shows with ${name}`, async t => {
      await useRepository(t, helm, `${gateway.url}/${OWN}`, flags(login), example)
    })
  }
  await t.test('takes a repository that is not added, by --repo with --username and --password', async t => { await useUrl(t, await newHome(t, helm, lab), lab, example) })
  await t.test('gathers dependencies from two private repositories', async t => { await gather(t, helm, lab) })
  await t.test('verifies what was signed', async t => { await verify(t, helm, lab) })
  await t.test('says which repository refused, and why', async t => { await refusals(t, helm, lab) })
  await t.test('says so when a credential ends after the repository was added', async t => { await credentialEnds(t, helm, lab) })
}

function flags ({ username, password }: Login): string[] {
  return ['--username', username, '--password', password]
}

/** A Helm with an empty home, whose output is kept for comparison. */
async function newHome (t: Test, helm: Helm, lab: ClientLab): Promise<Run & { readonly home: string }> {
  const home = await temporaryFolder(t)
  // the first two words: what follows may be a secret
  const run: Run = async (...args) => keep(lab, args.slice(0, 2).join(' '), await runHelm(helm, args, { home }))
  return Object.assign(run, { home })
}

async function useUrl (t: Test, run: Run & { readonly home: string }, { gateway, reader }: ClientLab, example: Buffer): Promise<void> {
  const repo = `${gateway.url}/${OWN}`
  t.match(await run('pull', 'mychart', '--repo', repo, ...flags(reader)), { code: 0 })
  t.ok((await readFile(join(run.home, 'mychart-0.1.0.tgz'))).equals(example))
  t.match(await run('template', 'x', 'mychart', '--repo', repo, ...flags(reader)), { code: 0, stdout: 'name: x-message' })
  t.match(await run('show', 'values', 'mychart', '--repo', repo, ...flags(reader)), { code: 0, stdout: 'message:' })
  t.match(await run('show', 'chart', `${repo}/charts/mychart-0.1.0.tgz`, ...flags(reader)), { code: 0, stdout: 'name: mychart' })
}

/** A chart that wants one of each repository: one is found by its URL, the other by its name. */
async function gather (t: Test, helm: Helm, lab: ClientLab): Promise<void> {
  const { gateway, alice, ci, reader } = lab
  await store(lab, ci, OWN, await chartOf('left', '1.0.0'))
  await store(lab, alice, OTHER, await chartOf('right', '1.0.0'))
  const run = await newHome(t, helm, lab)
  const app = join(run.home, 'app')
  await mkdir(app)
  const dependency = (name: string, repository: string): string => `  - { name: ${name}, version: 1.x, repository: "${repository}" }\n`
  await writeFile(join(app, 'Chart.yaml'), `apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n${dependency('left', `${gateway.url}/${OWN}`)}${dependency('right', '@other')}`)

  t.match(await run('repo', 'add', 'other', `${gateway.url}/${OTHER}`, ...flags(alice)), { code: 0 })
  const withFlags = await run('dependency', 'update', app, ...flags(reader))
  t.match(withFlags, { code: 1, stderr: /no cached repository for helm-manager-[0-9a-f]+ found/ }, 'its own --username is not used')
  t.match(withFlags.stdout, `...Unable to get an update from the "${gateway.url}/${OWN}" chart repository:\n\tfailed to fetch ${gateway.url}/${OWN}/index.yaml : 401 Unauthorized\n`)
  t.match(await run('repo', 'add', 'own', `${gateway.url}/${OWN}`, ...flags(reader)), { code: 0 })
  t.match(await run('dependency', 'update', app), { code: 0 })
  for (const name of ['left', 'right']) await t.resolves(access(join(app, 'charts', `${name}-1.0.0.tgz`)), `${name} is there`)
  t.match(await run('dependency', 'build', app), { code: 0 }, 'and again from the lock file')
}

async function verify (t: Test, helm: Helm, lab: ClientLab): Promise<void> {
  const signed = await signedChart(t, helm)
  if (signed === undefined) { await notTried(t, 'a signed chart', 'gpg is not installed'); return }
  const { gateway, alice, ci, reader } = lab
  await store(lab, alice, OTHER, signed.chart, signed.prov)
  await store(lab, ci, OWN, await chartOf('unsigned', '1.0.0'))
  const run = await newHome(t, helm, lab)
  const keyring = ['--keyring', signed.keyring]
  await run('repo', 'add', 'r', `${gateway.url}/${OTHER}`, ...flags(alice))
  await run('repo', 'add', 'own', `${gateway.url}/${OWN}`, ...flags(reader))
  t.match(await run('pull', 'r/mychart', '--prov'), { code: 0 })
  t.ok((await readFile(join(run.home, 'mychart-0.1.0.tgz.prov'))).equals(signed.prov), 'the provenance comes byte for byte')
  const verified = await runHelm(helm, ['pull', 'r/mychart', '--verify', ...keyring], run)
  t.match(verified, { code: 0, stdout: /^Signed by: a test <signer@chartgate\.test>\n.*\nChart Hash Verified: sha256:[0-9a-f]{64}\n/ })
  t.match(await run('pull', 'own/unsigned', '--verify', ...keyring), { code: 1, stderr: /^Error: failed to fetch provenance "[^"]+\/org1\/repo1\/charts\/unsigned-1\.0\.0\.tgz\.prov"\n$/ })
  for (const args of [['template', 'x', 'r/mychart'], ['show', 'chart', 'r/mychart']]) {
    const shown = await run(...args, '--verify', ...keyring)
    // Helm 4 asks for the provenance without credentials there (helm/helm v4.2.4, pkg/downloader/chart_downloader.go, DownloadToCache)
    if (helm.name === 'helm3') t.equal(shown.code, 0, `${args[0]} --verify`, { shown })
    else t.match(shown, { code: 1, stderr: /failed to fetch provenance "[^"]+\/mychart-0\.1\.0\.tgz\.prov"/ }, `${args[0]} --verify`)
  }
}

async function refusals (t: Test, helm: Helm, lab: ClientLab): Promise<void> {
  const { gateway, alice, reader, expired } = lab
  const ended = { username: 'any', password: await expiredTokenFor(lab, reader, `artifact-repository:${OWN}:pull`) }
  const refused: [name: string, tenant: string, login: Login | undefined, status: string][] = [
    ['no credentials', OWN, undefined, '401 Unauthorized'],
    ['a wrong password', OWN, { ...reader, password: 'wrong' }, '401 Unauthorized'],
    ['the password of a person, under another name', OWN, { ...alice, username: 'nobody' }, '401 Unauthorized'],
    ['an expired token', OWN, ended, '401 Unauthorized'],
    ['a robot whose secret has ended', OWN, expired, '401 Unauthorized'],
    ['a missing right', OTHER, reader, '403 Forbidden'],
    ['a wrong password for a public tenant', 'public/charts', { ...reader, password: 'wrong' }, '401 Unauthorized'],
    ['a URL that is too short', 'org1', reader, '404 Not Found'],
    ['a URL that is too long', `${OWN}/charts`, reader, '404 Not Found']
  ]
  const run = await newHome(t, helm, lab)
  for (const [name, tenant, login, status] of refused) {
    const repo = `${gateway.url}/${tenant}`
    const credentials = login === undefined ? [] : flags(login)
    const stderr = `Error: looks like "${repo}" is not a valid chart repository or cannot be reached: failed to fetch ${repo}/index.yaml : ${status}\n`
    t.match(await run('repo', 'add', 'r', repo, ...credentials), { code: 1, stderr }, name)
  }
  const other = `${gateway.url}/${OTHER}`
  t.match(await run('pull', 'mychart', '--repo', other, ...flags(reader)), { code: 1, stderr: `Error: looks like "${other}" is not a valid chart repository or cannot be reached: failed to fetch ${other}/index.yaml : 403 Forbidden\n` })
  const file = `${gateway.url}/${OWN}/charts/mychart-0.1.0.tgz`
  t.match(await run('repo', 'add', 'r', `${gateway.url}/${OWN}`, ...flags(reader)), { code: 0 })
  t.match(await run('pull', file), { code: 1, stderr: `Error: failed to fetch ${file} : 401 Unauthorized\n` }, 'a whole URL of a repository that is added')
  t.match(await run('pull', 'r/mychart', '--version', '9.9.9'), { code: 1, stderr: 'no chart version found for mychart-9.9.9' })
  t.match(await run('pull', 'r/nothing'), { code: 1, stderr: 'no chart name found' })
  t.match(await run('repo', 'add', 'r', `${gateway.url}/${OWN}`, '--username', 'other', '--password', 'other'), { code: 1, stderr: 'Error: repository name (r) already exists, please specify a different name\n' })
}

async function troubles (t: Test, helm: Helm): Promise<void> {
  const [nobody] = await freePorts(1)
  const { url } = await startGateway(t, { upstream: { url: `http://127.0.0.1:${nobody}`, auth: 'none' }, policy: [{ repositories: ['**'], subjects: ['anonymous'], actions: ['pull'] }] })
  const home = await temporaryFolder(t)
  for (const [repo, error] of [[`${url}/${OWN}`, ': 502 Bad Gateway\n'], [`${url.replace('http:', 'https:')}/${OWN}`, 'http: server gave HTTP response to HTTPS client\n']] as const) {
    const { code, stderr } = await runHelm(helm, ['repo', 'add', 'r', repo], { home })
    t.equal(code, 1)
    t.ok(stderr.startsWith(`Error: looks like "${repo}" is not a valid chart repository or cannot be reached: `) && stderr.endsWith(error), error, { stderr })
  }
}

/** A repository that was added with a token, after the token's five minutes. */
async function credentialEnds (t: Test, helm: Helm, lab: ClientLab): Promise<void> {
  const { gateway, reader } = lab
  const scope = `artifact-repository:${OWN}:pull`
  const run = await newHome(t, helm, lab)
  await run('repo', 'add', 'r', `${gateway.url}/${OWN}`, '--username', 'any', '--password', await tokenFor(lab, reader, scope))
  const file = join(run.home, 'config', 'repositories.yaml')
  const ended = await expiredTokenFor(lab, reader, scope)
  await writeFile(file, (await readFile(file, 'utf8')).replace(/password: .*/, `password: ${ended}`))
  t.match(await run('search', 'repo', 'r/mychart'), { code: 0, stdout: 'r/mychart' }, 'the old index is still there')
  t.match(await run('pull', 'r/mychart'), { code: 1, stderr: `Error: failed to fetch ${gateway.url}/${OWN}/charts/mychart-0.1.0.tgz : 401 Unauthorized\n` })
  const updated = await run('repo', 'update')
  t.match(updated.stdout, `...Unable to get an update from the "r" chart repository (${gateway.url}/${OWN}):\n\tfailed to fetch ${gateway.url}/${OWN}/index.yaml : 401 Unauthorized\n`)
  if (helm.name === 'helm3') t.equal(updated.code, 0, 'Helm 3 calls that a success')
  else t.match(updated, { code: 1, stderr: `Error: failed to update the following repositories: [${gateway.url}/${OWN}]\n` })
}
