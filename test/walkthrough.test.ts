// The walkthrough of the README against the built program, as a new user starts it.
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { DEMO, serveFile } from './helpers/gateway.ts'
import { ROOT, run, temporaryFolder } from './helpers/processes.ts'
import { walkThrough } from './helpers/walkthrough.ts'

await t.test('the demo does what the README says', async t => {
  await walkThrough(t, await serveFile(t, { file: DEMO }))
})

await t.test('what the demo prints when it listens can be pasted as it is', async t => {
  const gateway = await serveFile(t, { file: DEMO })
  const printed = gateway.stdout()
  t.match(printed, `its data lies in ${gateway.stateDir}`)
  const folder = await temporaryFolder(t)
  await cp(join(ROOT, 'examples'), join(folder, 'examples'), { recursive: true })
  const commands = printed.slice(printed.indexOf('  # 1.'), printed.indexOf('  # 6.'))
  const pasted = await run('bash', ['-e', '-o', 'pipefail', '-c', commands], { cwd: folder, env: { HOME: folder } })
  t.equal(pasted.code, 0, 'every command succeeds', { stderr: pasted.stderr })
  t.match(pasted.stdout, /^HTTP\/1\.1 401 /)
  t.match(pasted.stdout, '"access":[{"type":"artifact-repository","name":"org1/repo1","actions":["pull"]}]')
  t.match(pasted.stdout, /^ +version: 0\.1\.0$/m)
  t.match(pasted.stdout, '{"saved":true}')
})
