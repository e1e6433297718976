// A token that somebody revokes beside running workers is refused by all of them, and a worker
// that takes the place of another one knows it.
import t from 'tap'
import { startGateway, type Gateway } from '../../helpers/gateway.ts'
import { run } from '../../helpers/processes.ts'
import { newMasterKey, recordToken } from '../../helpers/secrets.ts'
import { untilTrue } from '../../helpers/until.ts'

const MORE = { policy: [{ repositories: ['**'], subjects: ['anonymous'], actions: ['push'] }], log: { level: 'error' } }

async function tokenOf ({ url }: Gateway, key: string): Promise<string> {
  const answer = await fetch(`${url}/oauth/token?scope=artifact-repository:org1/repo1:pull`, { headers: { authorization: `Bearer ${key}` } })
  return recordToken((await answer.json() as { token: string }).token)
}

/** Of so many connections, each to one of the workers. */
async function statuses ({ url }: Gateway, token: string): Promise<number[]> {
  const ask = async (): Promise<number> => (await fetch(`${url}/org1/repo1/index.yaml`, { headers: { authorization: `Bearer ${token}`, connection: 'close' } })).status
  return [...new Set(await Promise.all(Array.from({ length: 12 }, ask)))]
}

await t.test('by all workers, and by one that begins later', async t => {
  const masterKey = newMasterKey()
  const gateway = await startGateway(t, { ...MORE, masterKey, workers: 2 })
  const [token, other] = [await tokenOf(gateway, masterKey), await tokenOf(gateway, masterKey)]
  t.same(await statuses(gateway, token), [200])
  const revoke = async (...words: string[]): Promise<void> => {
    const done = await run(process.execPath, ['dist/src/cli.js', 'revoke', ...words], { env: { CHARTGATE_STATE_DIR: gateway.stateDir } })
    t.equal(done.code, 0, done.stderr)
  }
  await revoke('--token', token)
  await untilTrue(async () => (await statuses(gateway, token)).join() === '401')
  t.same(await statuses(gateway, other), [200], 'another one of the same subject goes on')
  await revoke('--subject', 'key:master')
  await untilTrue(async () => (await statuses(gateway, other)).join() === '401')
  const workers = (await run('pgrep', ['-P', String(gateway.pid)])).stdout.trim().split('\n')
  for (const pid of workers) process.kill(Number(pid), 'SIGKILL')
  await untilTrue(async () => await statuses(gateway, other).then(all => all.join() === '401', () => false))
  t.same(await statuses(gateway, token), [401])
})
