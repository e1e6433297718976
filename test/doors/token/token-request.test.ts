import fc from 'fast-check'
import t from 'tap'
import type { Credentials } from '../../../src/identity/credentials.ts'
import { readTokenRequest } from '../../../src/doors/token/token-request.ts'

const NONE: Credentials = { kind: 'none' }
const BEARER: Credentials = { kind: 'bearer', token: 'a-key' }
const basic = (username: string, password = 'secret'): Credentials => ({ kind: 'basic', username, password })
const SCOPE = 'artifact-repository:org1/repo1:pull'
const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln'
const EXCHANGE = 'grant_type=urn:ietf:params:oauth:grant-type:token-exchange'
const ID_TOKEN = 'subject_token_type=urn:ietf:params:oauth:token-type:id_token'
const ASSERTION = 'grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer'

interface Case {
  readonly name: string
  readonly method?: string
  readonly query?: string
  readonly form?: string
  readonly header?: Credentials
}
const read = ({ method = 'POST', query = '', form, header = NONE }: Case): ReturnType<typeof readTokenRequest> =>
  readTokenRequest(method, query, form, header)

await t.test('what clients send is understood', async t => {
  const cases: (Case & { scopes: string[], credentials: Credentials, decoded?: Credentials, account?: string })[] = [
    { name: 'the walkthrough: everything in the query, no body', query: `grant_type=client_credentials&scope=${SCOPE}`, header: BEARER, scopes: [SCOPE], credentials: BEARER },
    { name: 'Docker: GET with Basic', method: 'GET', query: `service=x&scope=${SCOPE}&scope=b%3Ac%3Ad&account=alice&client_id=docker&offline_token=true`, header: basic('alice'), scopes: [SCOPE, 'b:c:d'], credentials: basic('alice') },
    { name: 'oras: GET anonymous', method: 'GET', query: `scope=${SCOPE}&service=x`, scopes: [SCOPE], credentials: NONE },
    { name: 'GET with nothing', method: 'GET', scopes: [], credentials: NONE },
    { name: 'Renovate: GET with Bearer', method: 'GET', query: `scope=${SCOPE}`, header: BEARER, scopes: [SCOPE], credentials: BEARER },
    { name: 'helm registry login: a form with a password', form: 'grant_type=password&username=alice&password=secret&service=&client_id=oras-go', scopes: [], credentials: basic('alice') },
    { name: 'the same in the query', query: 'grant_type=password&username=alice&password=secret', scopes: [], credentials: basic('alice') },
    { name: 'half in the query and half in the form', query: 'grant_type=password&username=alice', form: 'password=secret', scopes: [], credentials: basic('alice') },
    { name: 'containerd', form: `client_id=containerd-client&grant_type=password&scope=${SCOPE}&service=x&username=alice&password=secret&access_type=offline`, scopes: [SCOPE], credentials: basic('alice') },
    { name: 'podman: repeated scopes in a form', form: `grant_type=password&username=alice&password=secret&scope=${SCOPE}&scope=b:c:d`, scopes: [SCOPE, 'b:c:d'], credentials: basic('alice') },
    { name: 'scopes divided by spaces', form: `grant_type=password&username=a&password=secret&scope=${SCOPE}+b:c:d`, scopes: [`${SCOPE} b:c:d`], credentials: basic('a') },
    { name: 'client credentials by Basic', form: 'grant_type=client_credentials', header: basic('ci'), scopes: [], credentials: basic('ci') },
    { name: 'client credentials in the form', form: 'grant_type=client_credentials&client_id=ci&client_secret=secret', scopes: [], credentials: basic('ci') },
    { name: 'a secret alone', form: 'grant_type=client_credentials&client_secret=secret', scopes: [], credentials: basic('') },
    { name: 'a password alone', form: 'grant_type=password&password=secret', scopes: [], credentials: basic('') },
    { name: 'an empty user name', form: 'grant_type=password&username=&password=secret', scopes: [], credentials: basic('') },
    { name: 'a client id beside Basic is only a name', form: 'grant_type=client_credentials&client_id=tool', header: basic('ci'), scopes: [], credentials: basic('ci') },
    { name: 'the secret of a client is none of a password\'s', form: 'grant_type=password&client_secret=x', header: basic('alice'), scopes: [], credentials: basic('alice') },
    { name: 'a password is none of client credentials', form: 'grant_type=client_credentials&password=x', header: BEARER, scopes: [], credentials: BEARER },
    { name: 'the same parameter in both', query: `grant_type=password&scope=${SCOPE}`, form: `grant_type=password&scope=${SCOPE}&username=a&password=secret`, scopes: [SCOPE], credentials: basic('a') },
    { name: 'an account that is the user', form: 'grant_type=password&username=alice&password=secret&account=alice', scopes: [], credentials: basic('alice') },
    { name: 'a user name beside the same Basic', form: 'grant_type=client_credentials&username=alice', header: basic('alice'), scopes: [], credentials: basic('alice') },
    { name: 'an account beside Bearer, which has no user name', method: 'GET', query: 'account=alice', header: BEARER, scopes: [], credentials: BEARER, account: 'alice' },
    { name: 'an account and nobody', method: 'GET', query: 'account=alice', scopes: [], credentials: NONE, account: 'alice' },
    { name: 'client credentials that were encoded as a form', form: 'grant_type=client_credentials', header: basic('a%2Bb', 'p+q%26%3D&'), scopes: [], credentials: basic('a%2Bb', 'p+q%26%3D&'), decoded: basic('a+b', 'p q&=&') },
    { name: 'a password is not decoded', form: 'grant_type=password', header: basic('a%2Bb', 'x'), scopes: [], credentials: basic('a%2Bb', 'x') },
    { name: 'another service changes nothing', method: 'GET', query: 'service=other&service=third', header: BEARER, scopes: [], credentials: BEARER },
    { name: 'GET may name its grant', method: 'GET', query: 'grant_type=client_credentials', header: BEARER, scopes: [], credentials: BEARER },
    { name: 'an empty form', query: 'grant_type=client_credentials', form: '', header: BEARER, scopes: [], credentials: BEARER },
    { name: 'broken credentials are passed on', method: 'GET', header: { kind: 'malformed' }, scopes: [], credentials: { kind: 'malformed' } },
    { name: 'broken credentials with a grant, too', form: 'grant_type=client_credentials', header: { kind: 'malformed' }, scopes: [], credentials: { kind: 'malformed' } }
  ]
  for (const { scopes, credentials, decoded, account, ...each } of cases) {
    t.strictSame(read(each), { ok: true, request: { scopes, credentials, ...(decoded === undefined ? {} : { decoded }), ...(account === undefined ? {} : { account }) } }, each.name)
  }
})

await t.test('a token is shown for another one, and for nothing else', t => {
  const credentials = { kind: 'bearer', token: JWT } as const
  const right: [string, object][] = [
    [`${EXCHANGE}&${ID_TOKEN}&subject_token=${JWT}&scope=${SCOPE}`, { scopes: [SCOPE], credentials, shown: 'subject_token' }],
    [`${EXCHANGE}&subject_token_type=urn:ietf:params:oauth:token-type:jwt&subject_token=${JWT}&audience=x&resource=y&requested_token_type=urn:ietf:params:oauth:token-type:access_token`, { scopes: [], credentials, shown: 'subject_token' }],
    [`${ASSERTION}&assertion=${JWT}&client_id=tool&scope=${SCOPE}`, { scopes: [SCOPE], credentials, shown: 'assertion' }]
  ]
  for (const [form, request] of right) t.strictSame(read({ name: form, form }), { ok: true, request }, form)
  const wrong: [Partial<Case>, RegExp][] = [
    [{ form: `${EXCHANGE}&subject_token=${JWT}` }, /subject_token_type has to be one of/],
    [{ form: `${EXCHANGE}&subject_token_type=saml&subject_token=${JWT}` }, /subject_token_type has to be one of/],
    [{ form: `${EXCHANGE}&${ID_TOKEN}` }, /subject_token is missing, or is no JWT/],
    [{ form: `${EXCHANGE}&${ID_TOKEN}&subject_token=a-key` }, /subject_token is missing, or is no JWT/],
    [{ form: `${EXCHANGE}&${ID_TOKEN}&subject_token=${JWT}&requested_token_type=x` }, /requested_token_type can be/],
    [{ form: `${EXCHANGE}&${ID_TOKEN}&subject_token=${JWT}&actor_token=${JWT}` }, /actor_token means nothing here/],
    [{ form: `${EXCHANGE}&${ID_TOKEN}&subject_token=${JWT}`, header: basic('ci') }, /in the Authorization header and in the parameters/],
    [{ form: ASSERTION }, /assertion is missing, or is no JWT/],
    [{ query: `${ASSERTION}&assertion=${JWT}` }, /assertion is a secret: send it in the body/],
    [{ query: `subject_token=${JWT}`, form: `${EXCHANGE}&${ID_TOKEN}` }, /subject_token is a secret/],
    [{ form: `${ASSERTION}&assertion=${JWT}&assertion=${JWT}` }, /assertion is there more than once/]
  ]
  for (const [each, detail] of wrong) t.match(read({ name: '', ...each }), { ok: false, refusal: { code: 'invalid_request', detail } }, String(detail))
  t.end()
})

await t.test('what cannot be understood says why', async t => {
  const cases: (Case & { code: string, detail: RegExp })[] = [
    { name: 'POST without a grant', code: 'invalid_request', detail: /grant_type is missing/ },
    { name: 'POST with a scope alone', query: `scope=${SCOPE}`, header: BEARER, code: 'invalid_request', detail: /grant_type is missing/ },
    { name: 'a refresh token', form: 'grant_type=refresh_token&refresh_token=x', code: 'unsupported_grant_type', detail: /client_credentials or password/ },
    { name: 'an empty grant', form: 'grant_type=', header: BEARER, code: 'unsupported_grant_type', detail: /not supported/ },
    { name: 'another case', form: 'grant_type=PASSWORD', header: BEARER, code: 'unsupported_grant_type', detail: /not supported/ },
    { name: 'an unknown grant by GET', method: 'GET', query: 'grant_type=x', code: 'unsupported_grant_type', detail: /not supported/ },
    { name: 'a grant of Object', form: 'grant_type=constructor', header: BEARER, code: 'unsupported_grant_type', detail: /not supported/ },
    { name: 'a grant without credentials', form: 'grant_type=client_credentials', code: 'invalid_client', detail: /needs credentials/ },
    { name: 'a client id without a secret', form: 'grant_type=client_credentials&client_id=ci', code: 'invalid_client', detail: /needs credentials/ },
    { name: 'a user name without a password', form: 'grant_type=password&username=alice', code: 'invalid_client', detail: /needs credentials/ },
    { name: 'many parameters in the query', method: 'GET', query: '%ff&'.repeat(4_000), code: 'invalid_request', detail: /more than 100 parameters/ },
    { name: 'many in the form', form: `grant_type=password${'&a'.repeat(100)}`, code: 'invalid_request', detail: /more than 100 parameters/ },
    { name: 'as many as there may be', form: `grant_type=password${'&a'.repeat(99)}`, code: 'invalid_client', detail: /needs credentials/ },
    { name: 'credentials twice', form: 'grant_type=password&username=alice&password=secret', header: basic('alice'), code: 'invalid_request', detail: /send one/ },
    { name: 'credentials and Bearer', form: 'grant_type=client_credentials&client_id=ci&client_secret=secret', header: BEARER, code: 'invalid_request', detail: /send one/ },
    { name: 'credentials and a broken header', form: 'grant_type=password&username=alice&password=secret', header: { kind: 'malformed' }, code: 'invalid_request', detail: /send one/ },
    { name: 'the account of another', method: 'GET', query: 'account=bob', header: basic('alice'), code: 'invalid_request', detail: /parameter account/ },
    { name: 'the account of another in a form', form: 'grant_type=password&username=alice&password=secret&account=bob', code: 'invalid_request', detail: /parameter account/ },
    { name: 'an empty account', method: 'GET', query: 'account=', header: basic('alice'), code: 'invalid_request', detail: /parameter account/ },
    { name: 'the user name of another', method: 'GET', query: 'username=bob', header: basic('alice'), code: 'invalid_request', detail: /parameter username/ },
    { name: 'the user name of another beside a grant', form: 'grant_type=client_credentials&username=bob', header: basic('alice'), code: 'invalid_request', detail: /parameter username/ },
    { name: 'scopes that differ', query: `grant_type=client_credentials&scope=${SCOPE}`, form: 'scope=b:c:d', header: BEARER, code: 'invalid_request', detail: /different values/ },
    { name: 'scopes that differ by a comma', query: `grant_type=client_credentials&scope=${SCOPE},push`, form: `scope=${SCOPE}&scope=push`, header: BEARER, code: 'invalid_request', detail: /different values/ },
    { name: 'scopes in another order', query: 'grant_type=client_credentials&scope=a:b:c&scope=d:e:f', form: 'scope=d:e:f&scope=a:b:c', header: BEARER, code: 'invalid_request', detail: /different values/ },
    ...['grant_type', 'account', 'client_id', 'client_secret', 'username', 'password'].flatMap(name => [
      { name: `${name} twice in the query`, query: `${name}=a&${name}=a`, code: 'invalid_request', detail: new RegExp(`parameter ${name} `) },
      { name: `${name} twice in the form`, form: `${name}=a&${name}=b`, code: 'invalid_request', detail: new RegExp(`parameter ${name} `) },
      { name: `${name} with two values`, query: `${name}=a`, form: `${name}=b`, code: 'invalid_request', detail: new RegExp(`parameter ${name} `) },
      { name: `${name} with a value and an empty one`, query: `${name}=`, form: `${name}=b`, code: 'invalid_request', detail: new RegExp(`parameter ${name} `) }
    ])
  ]
  for (const { code, detail, ...each } of cases) t.match(read(each), { ok: false, refusal: { code, detail } }, each.name)
})

await t.test('a refusal repeats nothing that was sent', async () => {
  const name = fc.constantFrom('grant_type', 'account', 'client_id', 'client_secret', 'username', 'password', 'scope', 'service')
  const pairs = fc.array(fc.tuple(name, fc.constantFrom('marker1', 'marker2', 'password', 'client_credentials')), { maxLength: 6 })
  const header = fc.constantFrom<Credentials>(NONE, BEARER, basic('marker1', 'marker2'), { kind: 'malformed' })
  fc.assert(fc.property(fc.constantFrom('GET', 'POST'), pairs, pairs, header, (method, query, form, header) => {
    const result = readTokenRequest(method, new URLSearchParams(query).toString(), new URLSearchParams(form).toString(), header)
    return result.ok || !JSON.stringify(result).includes('marker')
  }), { numRuns: 1000 })
})
