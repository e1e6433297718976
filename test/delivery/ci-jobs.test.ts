// docs/ci.md, followed as far as that goes without the platforms: every rule takes the job that
// stands below it, and what the job runs is run, with a token that an issuer of this test gave.
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { otherBlocks } from '../helpers/documents.ts'
import { githubClaims, gitlabClaims, idToken, kubernetesClaims, startIssuer } from '../helpers/federation.ts'
import { startGateway, type Gateway } from '../helpers/gateway.ts'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { helmVersions } from '../helpers/helm.ts'
import { keyNamed } from '../helpers/keys.ts'
import { notTried } from '../helpers/not-tried.ts'
import { findProgram, ROOT, run, temporaryFolder } from '../helpers/processes.ts'
import { newSecret } from '../helpers/secrets.ts'

const AUDIENCE = 'https://charts.example.com'
const CLAIMS = { github: githubClaims, gitlab: gitlabClaims, cluster: kubernetesClaims } as const
type Name = keyof typeof CLAIMS

/** Whose token a pod has, and where. */
interface PodWords {
  readonly serviceAccountName: string
  readonly volumes: readonly object[]
}

interface Lab {
  readonly gateway: Gateway
  readonly tokens: Readonly<Record<Name, string>>
  /** Where GitHub's runner asks for a token. */
  readonly requestUrl: string
  /** Runs lines of a job with a shell, in a folder with charts/web. */
  script (text: string, env?: Readonly<Record<string, string>>): Promise<string>
}

t.setTimeout(BUILD_LIMIT)
const blocks = otherBlocks(await readFile(join(ROOT, 'docs/ci.md'), 'utf8')).map(({ text }) => text)
const helms = await helmVersions()
const lacking = (await Promise.all(['curl', 'jq'].map(async name => await findProgram(name) === undefined ? name : []))).flat()
if (!helms.ok) await notTried(t, 'real Helm', helms.reason)
else if (lacking.length > 0) await notTried(t, 'jobs', `no ${lacking.join()} on the PATH`)
else await t.test('every job of docs/ci.md publishes', async t => { await publish(t, helms.versions[0]?.path as string) })

async function lab (t: Test, helm: string): Promise<Lab> {
  const key = await keyNamed('platform')
  const now = Math.floor(Date.now() / 1000)
  const home = await temporaryFolder(t)
  await mkdir(join(home, 'bin'))
  await writeFile(join(home, 'bin', 'helm'), `#!/bin/sh\nexec '${helm}' "$@"\n`, { mode: 0o755 })
  await mkdir(join(home, 'charts'))
  await cp(join(ROOT, 'examples', 'mychart'), join(home, 'charts', 'web'), { recursive: true })
  const chartYaml = join(home, 'charts', 'web', 'Chart.yaml')
  await writeFile(chartYaml, (await readFile(chartYaml, 'utf8')).replace('name: mychart', 'name: web'))
  const tokenFile = join(home, 'token')
  const bearer = newSecret()
  await writeFile(tokenFile, bearer)
  const parsed = blocks.filter(text => text.startsWith('federation:')).map(text => parse(text) as { federation: { providers: Record<string, string>[], rules: object[] } })
  const providers = []
  const tokens: Record<string, string> = {}
  let requestUrl = ''
  for (const { federation } of parsed) {
    const [provider = {}] = federation.providers
    const name = provider['name'] as Name
    const issuer = await startIssuer(t, key)
    tokens[name] = await idToken(key, CLAIMS[name]({ iss: issuer.issuer, aud: AUDIENCE }, now))
    if (name === 'github') {
      requestUrl = `${issuer.issuer}/token?api-version=2.0`
      issuer.documents.set(`/token?api-version=2.0&audience=${AUDIENCE}`, { body: JSON.stringify({ value: tokens[name] }) })
    }
    // What differs is where the issuer is.
    providers.push(name === 'cluster' ? { ...provider, issuer: issuer.issuer, jwksUrl: `${issuer.issuer}/keys`, ca: undefined, tokenFile } : { ...provider, issuer: issuer.issuer })
  }
  const gateway = await startGateway(t, { federation: { providers, rules: parsed.flatMap(({ federation: { rules } }) => rules) } })
  return {
    gateway,
    tokens: tokens as Lab['tokens'],
    requestUrl,
    async script (text, env = {}) {
      const here = text.replaceAll(`${AUDIENCE}/`, `${gateway.url}/`)
      const places = { HOME: home, PATH: `${join(home, 'bin')}:${process.env['PATH'] ?? ''}` }
      const { code, stdout, stderr } = await run('bash', ['-euc', here], { cwd: home, env: { ...places, ...env } })
      t.equal(code, 0, here, { stderr })
      return stdout
    }
  }
}

async function publish (t: Test, helm: string): Promise<void> {
  const { gateway, tokens, requestUrl, script } = await lab(t, helm)
  const block = (begins: string): unknown => parse(blocks.find(text => text.startsWith(begins)) as string)
  const github = block('name: release') as { jobs: { chart: { steps: { run?: string }[] } } }
  const steps = github.jobs.chart.steps.flatMap(step => step.run ?? [])
  t.match(await script(steps.join('\n'), { ACTIONS_ID_TOKEN_REQUEST_URL: requestUrl, ACTIONS_ID_TOKEN_REQUEST_TOKEN: newSecret() }), '{"saved":true}')

  const bump = 'sed -i "s/^version: .*/version: 0.9.$N/" charts/web/Chart.yaml; rm -f web-*.tgz\n'
  const gitlab = block('chart:') as { chart: { script: string[] } }
  t.match(await script(bump + gitlab.chart.script.join('\n'), { N: '1', CHARTS_TOKEN: tokens.gitlab }), '{"saved":true}')

  const workflow = block('apiVersion: argoproj.io') as { spec: PodWords & { templates: { container: { args: string[] } }[] } }
  const taskRun = block('apiVersion: tekton.dev') as { spec: PodWords & { taskSpec: PodWords & { steps: { script: string }[] } } }
  t.strictSame([workflow.spec.serviceAccountName, taskRun.spec.serviceAccountName], ['publisher', 'publisher'], 'whom the rule names')
  for (const { volumes } of [workflow.spec, taskRun.spec.taskSpec]) t.match(volumes, [{ projected: { sources: [{ serviceAccountToken: { audience: AUDIENCE } }] } }])
  const place = '/var/run/charts/token'
  const inPods = [workflow.spec.templates[0]?.container.args[0], taskRun.spec.taskSpec.steps[0]?.script] as string[]
  for (const [i, lines] of inPods.entries()) {
    t.ok(lines.includes(place))
    const before = 'printf %s "$POD_TOKEN" > pod-token; (helm repo remove charts || true) > removed 2>&1\n'
    t.match(await script(before + bump + lines.replaceAll(place, 'pod-token'), { N: String(i + 2), POD_TOKEN: tokens.cluster }), '{"saved":true}')
  }

  const exchanged = await script(blocks.find(text => text.startsWith('curl -sS --fail-with-body https://charts.example.com/oauth/token')) as string, { ID_TOKEN: tokens.github })
  t.match(exchanged, /"scope":"artifact-repository:team-a\/web:pull,push"\}.*"scope":"artifact-repository:team-a\/web:push"\}/)
  for (const subject of ['ci:github:octo-org/octo-repo', 'ci:gitlab:my-group/my-project', 'ci:cluster:ci/publisher']) t.match(gateway.stdout(), `"subject":"${subject}"`)
}
