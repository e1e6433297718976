// An index that names another host (test/regressions/28-links-to-other-hosts.test.ts): real
// Helm is the judge of what was meant, and goes nowhere else through the gateway.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { helmVersions, runHelm } from '../helpers/helm.ts'
import { FILE, forms, TENANT } from '../helpers/index-forms.ts'
import { notTried } from '../helpers/not-tried.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { startTeam } from '../helpers/team.ts'

/** A host that hears of whoever comes to it. */
async function startEvil (t: Test): Promise<{ url: string, heard: string[] }> {
  const heard: string[] = []
  const server = createServer((request, response) => {
    heard.push(`${request.url} ${request.headers.authorization ?? ''}`)
    response.writeHead(404).end()
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard }
}

await t.test('Helm itself finds no way to another host in any of them', async t => {
  t.setTimeout(BUILD_LIMIT)
  const helms = await helmVersions()
  if (!helms.ok) return await notTried(t, 'real Helm', helms.reason)
  const [helm] = helms.versions as [typeof helms.versions[number]]
  const { stub, gateway } = await startTeam(t, {})
  const evil = await startEvil(t)
  const home = await temporaryFolder(t)
  const login = ['--username', 'any', '--password', gateway.masterKey, '--pass-credentials']
  const pull = async (repository: string): Promise<void> => { await runHelm(helm, ['pull', 'a', '--repo', repository, '--version', '1.0.0', '-d', join(home, 'charts'), ...login], { home }) }
  let direct = 0
  for (const [form, body] of Object.entries(forms(`${evil.url}/${FILE}`))) {
    stub.answer = ({ target }) => target.endsWith('/index.yaml') ? { body } : { status: 404, body: '{"error":"not found"}' }
    await pull(`${gateway.url}/${TENANT}`)
    t.strictSame(evil.heard.splice(0), [], `${form}, through the gateway`)
    await pull(`${stub.origin}/${TENANT}`)
    if (evil.heard.splice(0).length > 0) direct++
  }
  t.ok(direct > 15, `without it Helm follows ${direct} of them`)
})
