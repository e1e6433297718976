// The oracle of attacks with tokens: refused with 401 however it is sent, and the
// upstream has not heard of it.
import type { Test } from 'tap'
import type { TestGateway } from './app.ts'
import { request } from 'undici'
import type { StubUpstream } from './stub-upstream.ts'

export const INDEX = '/org1/repo1/index.yaml'

/** The status of a read with this token as Bearer, or as the password of Basic. */
export async function statusWith (gateway: Pick<TestGateway, 'url'>, token: string, { basic = false, path = INDEX } = {}): Promise<number> {
  const authorization = basic ? `Basic ${Buffer.from(`any:${token}`).toString('base64')}` : `Bearer ${token}`
  const { statusCode, body } = await request(gateway.url + path, { headers: { authorization } })
  await body.dump()
  return statusCode
}

/** Checks that a token opens nothing: no index, no upload, no other token. */
export async function refusedEverywhere (t: Pick<Test, 'strictSame' | 'equal'>, gateway: TestGateway, stub: StubUpstream, name: string, token: string): Promise<void> {
  const before = stub.seen.length
  const statuses = [await statusWith(gateway, token), await statusWith(gateway, token, { basic: true }), await statusWith(gateway, token, { path: '/oauth/token?scope=artifact-repository:org1/repo1:pull' })]
  t.strictSame(statuses, [401, 401, 401], name)
  t.equal(stub.seen.length, before, `${name}: the upstream saw nothing`)
}
