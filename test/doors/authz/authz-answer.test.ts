import t from 'tap'
import type { ChartRequest } from '../../../src/chartmuseum/chart-request.ts'
import { statusIn, yesHeaders } from '../../../src/doors/authz/authz-answer.ts'
import { REASONS, type ReasonCode } from '../../../src/http/reasons.ts'
import { DIALECTS } from '../../../src/words/dialects.ts'
import { ANONYMOUS, accountPrincipal, tokenPrincipal } from '../../../src/words/principal.ts'
import { momentAt } from '../../../src/lib/clock.ts'
import { clockOf } from '../../helpers/clock.ts'

const ASKED = { tenant: 'org1/repo1' } as ChartRequest

await t.test('a yes says for whom and for which tenant, with an empty header for nobody', async t => {
  t.same(yesHeaders(accountPrincipal('robot', 'ci', []), ASKED, undefined), { 'x-auth-user': 'robot:ci', 'x-auth-tenant': 'org1/repo1' })
  t.same(yesHeaders(ANONYMOUS, ASKED, 'Bearer x'), { 'x-auth-user': '', 'x-auth-tenant': 'org1/repo1', authorization: 'Bearer x' })
})

await t.test('a subject of another token server fits into a header, and no two become one', async t => {
  const inHeader = (sub: string): string | undefined => yesHeaders(tokenPrincipal(sub, [], momentAt(clockOf(() => 0), 0)), ASKED, undefined)['x-auth-user']
  t.equal(inHeader('issuer:ours/a b'), 'issuer:ours/a%20b')
  t.equal(inHeader('issuer:ours/a%20b'), 'issuer:ours/a%2520b')
  t.equal(inHeader('issuer:ours/é\r\nX-Auth-User: user:root\0'), 'issuer:ours/%C3%A9%0D%0AX-Auth-User:%20user:root%00')
  t.match(inHeader('issuer:ours/\ud800\u202e'), /^[\x21-\x7e]+$/)
})

await t.test('where a proxy knows 401 and 403 alone, what can never be is 403, and what may do better later stays', async t => {
  const statuses = (Object.keys(REASONS) as ReasonCode[]).map(code => ({ own: REASONS[code].status, nginx: statusIn('nginx')({ code }) }))
  for (const { own, nginx } of statuses) t.equal(nginx, [401, 403, 429].includes(own) || own >= 500 ? own : 403, `${own}`)
  t.same([...new Set(statuses.filter(({ own, nginx }) => own !== nginx).map(({ own }) => own))].sort(), [400, 404, 405, 408, 409, 413, 415, 416, 417, 431, 499])
  for (const dialect of DIALECTS) {
    if (dialect !== 'nginx') t.strictSame((Object.keys(REASONS) as ReasonCode[]).map(code => statusIn(dialect)({ code })), statuses.map(({ own }) => own), dialect)
  }
})
