// Fastify's inject, which has no connection: what plugins know of one must not be needed.
import t from 'tap'
import { startApp } from '../helpers/app.ts'

await t.test('a request that was injected keeps no application from closing, answered or not', async t => {
  const { app } = await startApp(t, { origin: 'http://127.0.0.1:9' })
  t.equal((await app.inject('/health')).statusCode, 200)
  const running = app.inject('/org1/repo1/index.yaml')
  t.same(app.running(), [])
  await app.close()
  t.equal((await running).statusCode, 401)
})
