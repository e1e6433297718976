// `registry login`, push and pull of the real Helm 3, Helm 4 and oras, at a registry that
// takes the gateway's tokens: the token endpoint as they call it. A login with the wrong
// password must not succeed, and what may not be pushed must not be.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { BUILD_LIMIT, goTool } from '../helpers/go-tool.ts'
import { helmVersions } from '../helpers/helm.ts'
import { notTried } from '../helpers/not-tried.ts'
import { chartOf } from '../helpers/packages.ts'
import { run, temporaryFolder, type RunResult } from '../helpers/processes.ts'
import { newPassword, newSecret } from '../helpers/secrets.ts'
import { startStubRegistry } from '../helpers/stub-registry.ts'
import { startTeam } from '../helpers/team.ts'

const TENANT = 'org1/repo1'
const CHART = 'mychart-0.2.0.tgz'

/** A client's words for the same things; all of them run in a folder of their own. */
interface Client {
  readonly name: 'helm3' | 'helm4' | 'oras'
  readonly path: string
  login (host: string, user: string, password: string): string[]
  push (host: string): string[]
  pull (host: string): string[]
}

function helmClient (name: 'helm3' | 'helm4', path: string): Client {
  return {
    name,
    path,
    login: (host, user, password) => ['registry', 'login', host, '--plain-http', '-u', user, '-p', password],
    push: host => ['push', CHART, `oci://${host}/${TENANT}`, '--plain-http'],
    pull: host => ['pull', `oci://${host}/${TENANT}/mychart`, '--version', '0.2.0', '--plain-http', '-d', 'out']
  }
}

function orasClient (path: string): Client {
  return {
    name: 'oras',
    path,
    login: (host, user, password) => ['login', host, '--plain-http', '-u', user, '-p', password],
    push: host => ['push', '--plain-http', `${host}/${TENANT}/mychart:0.2.0`, `${CHART}:application/vnd.cncf.helm.chart.content.v1.tar+gzip`],
    pull: host => ['pull', '--plain-http', `${host}/${TENANT}/mychart:0.2.0`, '-o', 'out']
  }
}

t.setTimeout(BUILD_LIMIT)
const helms = await helmVersions()
if (!helms.ok) await notTried(t, 'real Helm at a registry', helms.reason)
const oras = await goTool('oras')
if (!oras.ok) await notTried(t, 'oras', oras.reason)
const clients = [...helms.ok ? helms.versions.map(({ name, path }) => helmClient(name, path)) : [], ...oras.ok ? [orasClient(oras.path)] : []]
for (const client of clients) await t.test(client.name, async t => { await tryClient(t, client) })

async function tryClient (t: Test, client: Client): Promise<void> {
  const [password, readerPassword, secret, strange] = [newPassword(), newPassword(), newSecret(), `${newPassword()} &=%+\u00fc:/`]
  const { gateway } = await startTeam(t, {
    people: [{ name: 'alice', password, groups: ['team'] }, { name: 'reader', password: readerPassword }, { name: 'a+b@x', password: strange, groups: ['team'] }],
    robots: [{ name: 'ci', secrets: [secret], groups: ['team'] }],
    policy: [{ repositories: [TENANT], subjects: ['group:team'], actions: ['pull', 'push'] }, { repositories: [TENANT], subjects: ['user:reader'], actions: ['pull'] }]
  })
  const registry = await startStubRegistry(t, gateway)
  const { host } = registry
  const chart = await chartOf('mychart', '0.2.0')

  /** A machine of somebody: a home of its own, with the chart in it. */
  const machine = async (t: Test): Promise<(args: readonly string[]) => Promise<RunResult & { home: string }>> => {
    const home = await temporaryFolder(t)
    await writeFile(join(home, CHART), chart)
    const env = { HOME: home, HELM_CACHE_HOME: join(home, 'cache'), HELM_CONFIG_HOME: join(home, 'config'), HELM_DATA_HOME: join(home, 'data'), DOCKER_CONFIG: join(home, 'docker') }
    await mkdir(join(home, 'out'))
    return async args => ({ ...await run(client.path, args, { cwd: home, env }), home })
  }
  /** What was granted since the last time, by the log of the gateway. */
  let seen = 0
  const granted = (): string[] => {
    const all = gateway.log.filter(({ route, decision }) => route === 'token' && decision === 'allowed').map(line => String(line['granted']))
    const fresh = all.slice(seen)
    seen = all.length
    return fresh
  }

  await t.test('logs in with a password, with a strange one, and with a secret in place of it', async t => {
    const logins: [string, string, string, string][] = [['a user', 'alice', password, 'user:alice'], ['a password of all letters', 'a+b@x', strange, 'user:a+b@x'], ['a robot', 'ci', secret, 'robot:ci'], ['a secret under another name', 'any', secret, 'robot:ci'], ['a token under any name', 'any', await gateway.token([], 'user:alice'), 'user:alice']]
    // oras asks on the terminal for a name that is not given.
    if (client.name !== 'oras') logins.push(['a secret without a name', '', secret, 'robot:ci'])
    for (const [name, user, text, subject] of logins) {
      const result = await (await machine(t))(client.login(host, user, text))
      t.match([result.code, result.stdout + result.stderr], [0, /Login Succeeded/], name, { result })
      t.equal(gateway.log.findLast(({ route }) => route === 'token')?.['subject'], subject, name)
    }
  })

  await t.test('does not report success for credentials that are wrong', async t => {
    for (const [name, user, text] of [['a wrong password', 'alice', newPassword()], ['an unknown user', 'nobody', password], ['a secret of nobody', '', newSecret()], ['a secret of nobody under a name', 'ci', newSecret()], ["another user's password", 'reader', password]] as const) {
      if (user === '' && client.name === 'oras') continue
      const result = await (await machine(t))(client.login(host, user, text))
      t.not(result.code, 0, name)
      t.notMatch(result.stdout + result.stderr, /succeeded/i, name)
      t.match(result.stderr, /unauthorized: bad credentials|401/i, `${name}: and says why`, { result })
    }
  })

  await t.test('pushes and pulls with what was granted, and with no more', async t => {
    const reader = await machine(t)
    await reader(client.login(host, 'reader', readerPassword))
    const early = await reader(client.push(host))
    t.not(early.code, 0, 'who may only pull does not push')
    t.strictSame(registry.tags(), [])

    const alice = await machine(t)
    await alice(client.login(host, 'alice', password))
    granted()
    const pushed = await alice(client.push(host))
    t.equal(pushed.code, 0, 'push', { pushed })
    t.strictSame(registry.tags(), [`${TENANT}/mychart/manifests/0.2.0`])
    t.ok(granted().includes(`repository:${TENANT}/mychart:pull,push`), 'with a token for both')

    for (const [name, say] of [['who pushed', alice], ['who may only pull', reader]] as const) {
      const pulled = await say(client.pull(host))
      t.equal(pulled.code, 0, name, { pulled })
      t.ok((await readFile(join(pulled.home, 'out', CHART))).equals(chart), `${name}: byte for byte`)
      t.match(granted().at(-1), `repository:${TENANT}/mychart:pull`)
    }
    const stranger = await (await machine(t))(client.pull(host))
    t.not(stranger.code, 0, 'who has not logged in does not pull')
    t.match(stranger.stderr, /401|unauthorized/i)
    t.strictSame(granted().at(-1), '', 'and got a token that is good for nothing')
  })
}
