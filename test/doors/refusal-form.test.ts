import t from 'tap'
import { OWN_ENDPOINTS } from '../../src/doors/own-endpoints.ts'
import { parseRequestTarget } from '../../src/doors/request-target.ts'
import { challengeErrorOf, refusalFormOf, type RefusalForm } from '../../src/doors/refusal-form.ts'

const SOURCE = { realm: 'https://charts.example.test/oauth/token', service: 'charts.example.test' }
const BASIC = 'Basic realm="charts.example.test", charset="UTF-8"'
const BEARER = 'Bearer realm="https://charts.example.test/oauth/token",service="charts.example.test"'

const formOf = (path: string): RefusalForm => refusalFormOf(parseRequestTarget('GET', path, { depth: 2, basePath: '' }))

void t.test('each door has its form: a challenge for the right that is needed, for somebody, or for a password', t => {
  t.strictSame(formOf('/org1/repo1/index.yaml').challenge(SOURCE, 'invalid_token'), [`${BEARER},scope="artifact-repository:org1/repo1:pull",error="invalid_token"`, BASIC])
  for (const path of [...[...OWN_ENDPOINTS.keys()].filter(path => path !== '/oauth/token'), '/nowhere']) t.strictSame(formOf(path).challenge(SOURCE, undefined), [BEARER, BASIC], path)
  t.strictSame(formOf('/oauth/token').challenge(SOURCE, 'invalid_token'), [BASIC])
  t.match(formOf('/oauth/token').body({ code: 'bad_credentials' }), { error: 'invalid_client' })
  t.strictSame(formOf('/health').body({ code: 'bad_credentials' }), { error: 'unauthorized' })
  t.end()
})

void t.test('only who came with a token is told what was wrong with it', t => {
  t.equal(challengeErrorOf({ code: 'insufficient_scope' }, false), 'insufficient_scope')
  t.equal(challengeErrorOf({ code: 'token_expired' }, false), 'invalid_token')
  t.equal(challengeErrorOf({ code: 'token_expired' }, true), undefined)
  t.equal(challengeErrorOf({ code: 'missing_credentials' }, false), undefined)
  t.end()
})
