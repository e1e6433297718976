import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { command, type CommandResult } from '../helpers/commands.ts'
import { freePorts } from '../helpers/processes.ts'

await t.test('healthcheck asks the admin listener of the configuration, and says what it hears', async t => {
  let [status, body] = [200, '{"ready":true}']
  const asked: (string | undefined)[] = []
  const server = createServer((request, response) => { asked.push(request.url); response.writeHead(status).end(body) })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  const health = async (host: string, ...argv: string[]): Promise<CommandResult> => {
    return await command(['healthcheck', ...argv], { CHARTGATE_ADMIN_HOST: host, CHARTGATE_ADMIN_PORT: String((server.address() as AddressInfo).port) })
  }
  t.match(await health('127.0.0.1'), { code: 0, out: 'ready\n', err: '' })
  t.match(await health('0.0.0.0', '--live'), { code: 0, out: 'alive\n', err: '' })
  t.strictSame(asked, ['/readyz', '/healthz'])
  t.match(await health('::'), { code: 1, out: '', err: /^chartgate: not ready: http:\/\/\[::1\]:\d+\/readyz gives no answer that makes sense: [^\n]+\n$/ }, 'nobody listens there')
  status = 503
  body = '{"ready":false,"reason":"shutting down"}'
  t.match(await health('127.0.0.1'), { code: 1, out: '', err: 'chartgate: not ready: shutting down\n' })
  body = '{}'
  t.match(await health('127.0.0.1', '--live'), { code: 1, err: 'chartgate: not alive: status 503\n' })
  body = 'hello'
  t.match(await health('127.0.0.1'), { code: 1, err: /gives no answer that makes sense: / })
})

await t.test('healthcheck says what hinders it', async t => {
  const [port] = await freePorts(1)
  t.match(await command(['healthcheck'], { CHARTGATE_ADMIN_PORT: String(port) }), { code: 1, out: '', err: new RegExp(`^chartgate: not ready: http://127\\.0\\.0\\.1:${port}/readyz gives no answer that makes sense: .*ECONNREFUSED`) })
  t.match(await command(['healthcheck'], { CHARTGATE_ADMIN_PORT: '0' }), { code: 1, out: '', err: /^chartgate: admin\.port is 0, any free port/ })
  t.match(await command(['healthcheck'], { CHARTGATE_ADMIN_PORT: 'x' }), { code: 1, out: '', err: /admin\.port/ })
})
