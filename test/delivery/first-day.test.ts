// The first day, as docs/migrate.md tells it: somebody has a ChartMuseum with Basic and puts
// chartgate in its place. Clients keep their URL, user name and password all the time; then
// come accounts of their own, a rotation, a revocation, a backup, and a move.
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { cmPush, installCmPush } from '../helpers/cm-push.ts'
import { curl, download } from '../helpers/curl.ts'
import { serveFile } from '../helpers/gateway.ts'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { helmVersions, runHelm, succeed, type Helm } from '../helpers/helm.ts'
import { ending, MUSEUM, startMuseum } from '../helpers/museum.ts'
import { notTried } from '../helpers/not-tried.ts'
import { chartOf } from '../helpers/packages.ts'
import { freePorts, run, temporaryFolder, type RunResult } from '../helpers/processes.ts'
import { newPassword, recordSecret } from '../helpers/secrets.ts'
import { until } from '../helpers/until.ts'

t.setTimeout(BUILD_LIMIT)

const TENANT = 'org1/repo1'
const CURATOR = { user: 'curator', password: newPassword() }

/** A person's machine: Helm with one repository, that was added once. */
interface Client {
  readonly helm: Helm
  readonly home: string
}

interface Day {
  readonly folder: string
  /** What all clients know. */
  readonly url: string
  readonly clients: readonly Client[]
  /** The newest version that there is. */
  version: number
}

async function begin (t: Test, helms: readonly Helm[], port: number): Promise<Day> {
  const folder = await temporaryFolder(t)
  await mkdir(join(folder, 'charts'))
  const clients = await Promise.all(helms.map(async helm => {
    const home = join(folder, helm.name)
    await mkdir(home)
    if (cmPush !== undefined) await installCmPush(join(home, 'plugins'), helm)
    return { helm, home }
  }))
  return { folder, url: `http://localhost:${port}`, clients, version: 0 }
}

/** Everything that clients do, with what they have had from the beginning. */
async function clientsGoOn (t: Test, day: Day, when: string): Promise<void> {
  await t.test(`clients go on as before: ${when}`, async t => {
    const credentials = ['-u', `${CURATOR.user}:${CURATOR.password}`]
    const name = `mychart-${++day.version}.0.0.tgz`
    const file = join(day.folder, name)
    await writeFile(file, await chartOf('mychart', `${day.version}.0.0`))
    t.match(await curl(...credentials, '--data-binary', `@${file}`, `${day.url}/api/${TENANT}/charts`), { status: 201 })
    for (const { helm, home } of day.clients) {
      await t.test(helm.name, async t => {
        await succeed(t, helm, ['repo', 'update'], { home })
        await succeed(t, helm, ['pull', 'r/mychart'], { home })
        t.ok((await readFile(join(home, name))).equals(await readFile(file)), 'the newest chart comes byte for byte')
        if (cmPush === undefined) return
        const pushed = join(home, 'pushed.tgz')
        await writeFile(pushed, await chartOf('pushed', `${day.version}.0.0-${helm.name}`))
        const env = { HELM_PLUGINS: join(home, 'plugins') }
        t.match(await runHelm(helm, ['cm-push', pushed, 'r'], { home, env }), { code: 0 }, 'cm-push')
      })
    }
  })
}

/** chartgate, as it is typed; what is asked for comes from standard input. */
async function chartgate (argv: readonly string[], { env = {}, typed = '' }: { readonly env?: Readonly<Record<string, string>>, readonly typed?: string } = {}): Promise<RunResult> {
  const script = 'printf %s "$TYPED" | node dist/src/cli.js "$@"'
  return await run('bash', ['-c', script, 'chartgate', ...argv], { env: { ...env, TYPED: typed } })
}

async function edit (file: string, change: (text: string) => string): Promise<void> {
  const text = await readFile(file, 'utf8')
  await writeFile(file, change(text))
}

async function statusFor (user: string, password: string, url: string): Promise<number> {
  return (await curl('-u', `${user}:${password}`, url)).status
}

await t.test(`the first day, in front of ${MUSEUM}`, async t => {
  const helms = await helmVersions()
  if (!helms.ok) return await notTried(t, 'the first day', helms.reason)
  const [port, behind] = await freePorts(2) as [number, number]
  const day = await begin(t, helms.versions, port)
  const [storage, config, passwordFile] = [join(day.folder, 'charts'), join(day.folder, 'chartgate.yaml'), join(day.folder, 'password')]
  const index = `${day.url}/${TENANT}/index.yaml`

  let endMuseum = await startMuseum(t, { port, storage }, CURATOR)
  for (const { helm, home } of day.clients) {
    const added = await runHelm(helm, ['repo', 'add', 'r', `${day.url}/${TENANT}`, '--username', CURATOR.user, '--password', CURATOR.password], { home })
    // Helm adds no repository that has no index, and ChartMuseum has one for every tenant.
    t.equal(added.code, 0, added.stderr)
  }
  await clientsGoOn(t, day, 'the repository alone')

  // The repository moves to another port, and chartgate takes its place with the same account.
  await endMuseum()
  endMuseum = await startMuseum(t, { port: behind, storage }, CURATOR)
  await writeFile(passwordFile, `${CURATOR.password}\n`, { mode: 0o600 })
  const env = { CHARTGATE_UPSTREAM_PASSWORD_FILE: passwordFile }
  const stateDir = join(day.folder, 'state')
  const answers = ['--situation', 'basic', '--public-url', day.url, '--upstream-url', `http://127.0.0.1:${behind}`, '--upstream-username', CURATOR.user, '--depth', '2', '--state-dir', stateDir]
  t.match(await chartgate(['init', ...answers, config], { env }), { code: 0, stdout: /answers as it is configured/ })
  t.match(await chartgate(['check', '--upstream', '--config', config], { env }), { code: 0 })
  const add = ['user', 'add', CURATOR.user, '--groups', 'admins', '--config', config]
  t.match(await chartgate(add, { typed: CURATOR.password }), { code: 0 })
  let gateway = await serveFile(t, { file: config, port, stateDir, env })
  await clientsGoOn(t, day, 'chartgate in front, with the same Basic behind it')

  await t.test('a robot and a person of their own, while it runs', async t => {
    const alice = newPassword()
    t.match(await chartgate(['user', 'add', 'alice', '--config', config], { typed: alice }), { code: 0 })
    const created = await chartgate(['robot', 'create', 'ci', '--expires', '90d', '--config', config])
    const secret = recordSecret(created.stdout.trim())
    await edit(config, text => text.replace('policy:\n', `policy:\n  - { repositories: [${TENANT}], subjects: ["user:alice", "robot:ci"], actions: [pull] }\n`))
    await until(async () => await statusFor('alice', alice, index) === 200 || undefined)
    await until(async () => await statusFor('ci', secret, index) === 200 || undefined)
    t.equal(await statusFor('alice', alice, `${day.url}/org2/repo2/index.yaml`), 403)
    t.match(await chartgate(['explain', '--config', config, '--as', 'alice', 'push', TENANT]), { code: 3, stdout: /^denied: user:alice has no right to push/ })

    const rotated = await chartgate(['robot', 'rotate', 'ci', '--keep', '7d', '--expires', '90d', '--config', config])
    const next = recordSecret(rotated.stdout.trim())
    await until(async () => await statusFor('ci', next, index) === 200 || undefined)
    t.equal(await statusFor('ci', secret, index), 200, 'the old one counts for a week')
    const last = recordSecret((await chartgate(['robot', 'rotate', 'ci', '--keep', '0', '--expires', '90d', '--config', config])).stdout.trim())
    await until(async () => await statusFor('ci', next, index) === 401 || undefined)
    t.equal(await statusFor('ci', last, index), 200)

    t.match(await chartgate(['user', 'disable', 'alice', '--config', config]), { code: 0 })
    await until(async () => await statusFor('alice', alice, index) === 401 || undefined)
  })

  // Behind it the password is no longer needed: the repository takes chartgate's key alone.
  const publicKey = join(day.folder, 'upstream.pem')
  t.match(await chartgate(['keys', 'export', '--config', config, '--out', publicKey]), { code: 0 })
  await endMuseum()
  await startMuseum(t, { port: behind, storage }, { publicKey })
  await edit(config, text => text.replace('  auth: basic\n', '  auth: bearer\n').replace(/^ {2}username: .*\n/m, ''))
  t.match(await chartgate(['check', '--upstream', '--config', config]), { code: 0, stdout: /answers as it is configured/ })
  await ending(gateway)()
  gateway = await serveFile(t, { file: config, port, stateDir })
  await clientsGoOn(t, day, 'with bearer behind it')
  t.equal(await statusFor(CURATOR.user, CURATOR.password, `http://127.0.0.1:${behind}/${TENANT}/index.yaml`), 401, 'nobody gets past it with the old password')

  await t.test('a backup is all that it takes to move', async t => {
    const [backup, elsewhere] = [join(day.folder, 'backup'), join(day.folder, 'elsewhere')]
    await mkdir(backup)
    for (const name of ['chartgate.yaml', 'accounts.yaml', 'state/keys']) await cp(join(day.folder, name), join(backup, name), { recursive: true, preserveTimestamps: true })
    await ending(gateway)()
    await cp(backup, elsewhere, { recursive: true })
    gateway = await serveFile(t, { file: join(elsewhere, 'chartgate.yaml'), port, stateDir: join(elsewhere, 'state') })
    await clientsGoOn(t, day, 'from another folder')
    const received = join(day.folder, 'received.tgz')
    t.equal(await download(received, '-u', `${CURATOR.user}:${CURATOR.password}`, `${day.url}/${TENANT}/charts/mychart-1.0.0.tgz`), 200)
    t.ok((await readFile(received)).equals(await readFile(join(day.folder, 'mychart-1.0.0.tgz'))), 'the first chart of the day is there')
  })
})
