// Step 6 of the walkthrough and a public tenant, with the real Helm 3 and Helm 4 against
// the built program.
import t, { type Test } from 'tap'
import { startGateway, type Gateway } from '../helpers/gateway.ts'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { helmVersions, packageExample, runHelm, useRepository, type Helm } from '../helpers/helm.ts'
import { notTried } from '../helpers/not-tried.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { newMasterKey, recordToken } from '../helpers/secrets.ts'

const PRIVATE = 'org1/repo1'
const PUBLIC = 'public/charts'
const masterKey = newMasterKey()

t.setTimeout(BUILD_LIMIT)
const helms = await helmVersions()
if (!helms.ok) await notTried(t, 'real Helm', helms.reason)
else for (const helm of helms.versions) await t.test(helm.name, async t => { await tryHelm(t, helm) })

async function tryHelm (t: Test, helm: Helm): Promise<void> {
  const gateway = await startGateway(t, { masterKey, policy: [{ repositories: ['public/*'], subjects: ['anonymous'], actions: ['pull'] }] })
  const chart = await packageExample(t, helm)
  for (const tenant of [PRIVATE, PUBLIC]) await push(t, gateway, tenant, chart)
  const token = await tokenFor(gateway, PRIVATE)
  const logins: [string, string, string[]][] = [
    ['a token as the password', PRIVATE, ['--username', 'any', '--password', token]],
    ['the master key as the password', PRIVATE, ['--username', 'any', '--password', masterKey]],
    ['no credentials for a public tenant', PUBLIC, []]
  ]
  for (const [name, tenant, login] of logins) {
    await t.test(`adds, updates, searches, pulls, templates and shows with ${name}`, async t => {
      await useRepository(t, helm, `${gateway.url}/${tenant}`, login, chart)
    })
  }
  await t.test('reports what the gateway refuses', async t => {
    const other = await tokenFor(gateway, 'org2/repo2')
    const refused: [string, string[], RegExp][] = [
      ['no credentials', [], /401 Unauthorized/],
      ['a wrong password', ['--username', 'any', '--password', 'wrong'], /401 Unauthorized/],
      ["another tenant's token", ['--username', 'any', '--password', other], /403 Forbidden/]
    ]
    for (const [name, login, error] of refused) {
      const home = await temporaryFolder(t)
      const added = await runHelm(helm, ['repo', 'add', 'r', `${gateway.url}/${PRIVATE}`, ...login], { home })
      t.not(added.code, 0, name)
      t.match(added.stderr, error, name)
    }
  })
}

async function push (t: Test, { url }: Gateway, tenant: string, chart: Buffer): Promise<void> {
  const answer = await fetch(`${url}/api/${tenant}/charts`, { method: 'POST', headers: { authorization: `Bearer ${masterKey}` }, body: new Uint8Array(chart) })
  t.equal(answer.status, 201)
  t.same(await answer.json(), { saved: true })
}

async function tokenFor ({ url }: Gateway, tenant: string): Promise<string> {
  const query = new URLSearchParams({ grant_type: 'client_credentials', scope: `artifact-repository:${tenant}:pull` })
  const answer = await fetch(`${url}/oauth/token?${query}`, { method: 'POST', headers: { authorization: `Bearer ${masterKey}` } })
  return recordToken((await answer.json() as { access_token: string }).access_token)
}
