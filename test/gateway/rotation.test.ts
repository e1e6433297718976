// A rotation under load, with two gateways on one folder of keys: no valid token is
// refused by either, at any moment, and none counts whose key was taken away.
import { mkdir, readdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { runChartgate, serveFile, type Gateway } from '../helpers/gateway.ts'
import { statusWith } from '../helpers/refused.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { partsOf } from '../helpers/jwt-lab.ts'
import { until } from '../helpers/until.ts'

const MASTER_KEY = 'a-key-for-tests-of-rotations'

await t.test('a rotation under load is noticed by nobody', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ body: 'apiVersion: v1\nentries: {}\n' })
  const dir = await temporaryFolder(t)
  const shared = join(dir, 'keys')
  await mkdir(shared, { mode: 0o700 })
  // A stateDir has one owner; the folder of keys in it is here that of both.
  const stateDirs = await Promise.all(['a', 'b'].map(async name => {
    await mkdir(join(dir, name))
    await symlink(shared, join(dir, name, 'keys'))
    return join(dir, name)
  })) as [string, string]
  const env = { CHARTGATE_UPSTREAM_URL: stub.origin, CHARTGATE_MASTER_KEY: MASTER_KEY, CHARTGATE_PUBLIC_URL: 'http://charts.example.test', CHARTGATE_LOG_LEVEL: 'warn' }
  const file = 'config/chartgate.example.yaml'
  const gateways = [await serveFile(t, { file, env, stateDir: stateDirs[0] }), await serveFile(t, { file, env, stateDir: stateDirs[1] })] as const
  const tokenOf = async ({ url }: Gateway): Promise<string> => {
    const answer = await fetch(`${url}/oauth/token?scope=artifact-repository:org1/repo1:pull`, { headers: { authorization: `Bearer ${MASTER_KEY}` } })
    return (await answer.json() as { token: string }).token
  }
  const kidOf = (token: string): unknown => partsOf(token).header['kid']

  const old = await tokenOf(gateways[0])
  const refused: string[] = []
  const seen = new Map<string, Set<unknown>>()
  const load = { ended: false }
  // With pauses: a machine that has nothing left for the other gateway is late with what is published.
  const clients = Array.from({ length: 2 }, async (_, i) => {
    while (!load.ended) {
      await sleep(20)
      const from = gateways[i % 2] as Gateway
      const token = await tokenOf(from)
      seen.set(from.url, (seen.get(from.url) ?? new Set()).add(kidOf(token)))
      for (const each of [token, old]) {
        for (const to of gateways) {
          const status = await statusWith(to, each)
          if (status !== 200) refused.push(`${status} for ${String(kidOf(each))} of ${from.url} at ${to.url}`)
        }
      }
    }
  })
  const rotated = await runChartgate(['keys', 'rotate', '--config', file], { ...env, CHARTGATE_STATE_DIR: stateDirs[0] })
  t.match(rotated, { code: 0, stdout: /is made and published/ })
  await until(() => gateways.every(({ url }) => (seen.get(url)?.size ?? 0) === 2) ? true : undefined)
  load.ended = true
  await Promise.all(clients)
  t.strictSame(refused, [])
  t.not(kidOf(await tokenOf(gateways[0])), kidOf(old), 'the new key signs')
  for (const { url } of gateways) {
    const { keys } = await (await fetch(`${url}/.well-known/jwks.json`)).json() as { keys: { kid: string }[] }
    t.strictSame(keys.map(({ kid }) => kid), [...seen.get(url) as Set<unknown>].reverse(), 'both are published')
  }

  t.strictSame((await readdir(shared)).length, 3)
  await rm(join(shared, 'token.pem'))
  for (const gateway of gateways) {
    await until(async () => await statusWith(gateway, old) === 401 ? true : undefined)
    t.equal(await statusWith(gateway, await tokenOf(gateways[0])), 200)
  }
})
