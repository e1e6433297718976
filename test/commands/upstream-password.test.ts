import { join } from 'node:path'
import t from 'tap'
import { command } from '../helpers/commands.ts'
import { testFolder } from '../helpers/folder.ts'
import { newPassword } from '../helpers/secrets.ts'

await t.test('a command that does not ask the chart repository needs no password of it, as those do that do', async t => {
  const dir = testFolder(t, { 'chartgate.yaml': 'upstream: { url: "http://127.0.0.1:1", auth: basic, username: curator }\naccounts: { files: [accounts.yaml] }\nstateDir: state\n' })
  const config = ['--config', join(dir, 'chartgate.yaml')]
  t.match(await command(['user', 'add', 'alice', ...config], {}, newPassword()), { code: 0 })
  for (const argv of [['user', 'list'], ['keys', 'list'], ['explain', '--as', 'alice', 'pull', 'a/b']]) {
    t.notMatch(await command([...argv, ...config]), { err: /basic needs/ }, argv.join(' '))
  }
  for (const argv of [['check'], ['serve']]) {
    t.match(await command([...argv, ...config]), { code: 1, err: /basic needs upstream\.username and upstream\.password/ }, argv.join(' '))
  }
  for (const argv of [['check'], ['user', 'list']]) {
    t.match(await command([...argv, ...config], { CHARTGATE_UPSTREAM_PASSWORD: newPassword() }), { code: 0 }, argv.join(' '))
  }
})
