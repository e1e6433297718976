// The token requests that Helm 3, Helm 4 and oras were recorded with, replayed as bytes:
// each gets what the policy gives of what it asked, or the refusal that makes its client
// fall back or give up. The people of the recording have accounts here.
import { decodeJwt } from 'jose'
import t from 'tap'
import { sendRaw, type RawResponse } from '../helpers/raw.ts'
import { newSecret, recordToken } from '../helpers/secrets.ts'
import { startTeam } from '../helpers/team.ts'
import { SCENARIOS, type RecordedRequest } from './oci-recordings.ts'

interface Recorded extends RecordedRequest {
  readonly client: string
  readonly command: string
}

/** Each of them once. */
const recorded: readonly Recorded[] = [...new Map(SCENARIOS.flatMap(({ id, command, exchanges }) => exchanges
  .filter(({ request }) => request.target.startsWith('/token'))
  .map(({ request }): [string, Recorded] => [JSON.stringify(request), { ...request, client: id.split('/')[0] as string, command }]))).values()]
const secret = newSecret()
const chart = (tenant: string, name: string, actions: string): string => `repository:${tenant}/${name}:${actions}`

/** What is to come of each: the subject and the scope of a token, or a refusal. */
const OUTCOMES: Readonly<Record<string, { readonly sub: string, readonly scope: string } | { readonly status: number, readonly error: string }>> = {
  'user u, no scope': { sub: 'user:u', scope: '' },
  'user u, wrong password': { status: 401, error: 'invalid_client' },
  'user a+b@x, no scope': { sub: 'user:a+b@x', scope: '' },
  'the secret, no scope': { sub: 'robot:ci', scope: '' },
  // oras takes it for a refusal of the token and says so; nothing that could be refreshed was ever given out
  'refresh_token, no scope': { status: 400, error: 'unsupported_grant_type' },
  [`user u, ${chart('org1/repo1', 'mychart', 'pull')}`]: { sub: 'user:u', scope: chart('org1/repo1', 'mychart', 'pull') },
  [`user u, ${chart('org1/repo1', 'mychart', 'pull,push')}`]: { sub: 'user:u', scope: chart('org1/repo1', 'mychart', 'pull,push') },
  [`user u, ${chart('org1/repo1', 'plus', 'pull')}`]: { sub: 'user:u', scope: chart('org1/repo1', 'plus', 'pull') },
  [`user u, ${chart('org1/repo1', 'plus', 'pull,push')}`]: { sub: 'user:u', scope: chart('org1/repo1', 'plus', 'pull,push') },
  [`user u, ${chart('org1/repo1', 'nope', 'pull')}`]: { sub: 'user:u', scope: chart('org1/repo1', 'nope', 'pull') },
  // u may not delete, and may push to org1/repo1 alone
  [`user u, ${chart('org1/repo1', 'mychart', 'delete,pull')}`]: { sub: 'user:u', scope: chart('org1/repo1', 'mychart', 'pull') },
  [`user u, ${chart('org1/repo1', 'mychart', 'delete,pull,push')}`]: { sub: 'user:u', scope: chart('org1/repo1', 'mychart', 'pull,push') },
  [`user u, ${chart('org1/repo1', 'mychart', 'pull')} ${chart('org1/repo2', 'mychart', 'pull,push')}`]: { sub: 'user:u', scope: `${chart('org1/repo1', 'mychart', 'pull')} ${chart('org1/repo2', 'mychart', 'pull')}` },
  [`user u, ${chart('org1/repo2', 'mychart', 'pull,push')}`]: { sub: 'user:u', scope: chart('org1/repo2', 'mychart', 'pull') },
  'user u, registry:catalog:*': { sub: 'user:u', scope: '' },
  [`user r, ${chart('org1/repo1', 'mychart', 'pull')}`]: { sub: 'user:r', scope: chart('org1/repo1', 'mychart', 'pull') },
  [`user r, ${chart('org1/repo1', 'mychart', 'pull,push')}`]: { sub: 'user:r', scope: chart('org1/repo1', 'mychart', 'pull') },
  // who has not logged in gets what is open to everyone: nothing, and a 200
  [`nobody, ${chart('org1/repo1', 'mychart', 'pull')}`]: { sub: 'anonymous', scope: '' },
  [`nobody, ${chart('org1/repo1', 'mychart', 'pull,push')}`]: { sub: 'anonymous', scope: '' }
}

/** A request in the words of the table. */
function nameOf ({ target, headers, body }: Recorded): string {
  const parameters = new URLSearchParams(body ?? target.split('?')[1])
  const [, user, password] = /\{BASIC ([^:]*):(.*)\}/.exec(headers.join('\n')) ?? [undefined, parameters.get('username') ?? undefined, parameters.get('password')]
  const who = parameters.get('grant_type') === 'refresh_token' ? 'refresh_token' : user === undefined ? 'nobody' : user === '' ? 'the secret' : `user ${user}`
  return `${who}, ${password === 'wrong' ? 'wrong password' : parameters.getAll('scope').join(' ') || 'no scope'}`
}

/** The bytes, with the secret of an account of ours where the recording has one of its own. */
function bytesOf ({ method, target, headers, body }: Recorded): string {
  const credentials = (text: string): string => text.replace(/\{BASIC (.*)\}/, (_, pair: string) => `Basic ${Buffer.from(pair.replace('sometoken', secret)).toString('base64')}`)
  return [`${method} ${target.replace('/token', '/oauth/token')} HTTP/1.1`, ...headers.map(line => credentials(line).replace('{OCI}', 'charts.example.test')), '', body ?? ''].join('\r\n')
}

await t.test('each recorded token request gets what the policy gives of it, or the refusal its client understands', async t => {
  const { gateway } = await startTeam(t, {
    people: [{ name: 'u', password: 'p', groups: ['team'] }, { name: 'r', password: 'p', groups: ['readers'] }, { name: 'a+b@x', password: 'p w&=%+\u00fc' }],
    robots: [{ name: 'ci', secrets: [secret] }],
    policy: [{ repositories: ['org1/*'], subjects: ['group:team', 'group:readers'], actions: ['pull'] }, { repositories: ['org1/repo1'], subjects: ['group:team'], actions: ['push'] }]
  })
  const tried = new Set<string>()
  const answers = await Promise.all(recorded.map(async request => await sendRaw(gateway.port, bytesOf(request))))
  for (const [i, request] of recorded.entries()) {
    const name = nameOf(request)
    const outcome = OUTCOMES[name]
    tried.add(name)
    if (outcome === undefined) {
      t.fail(`the table has no ${name}`)
      continue
    }
    const label = `${request.client}, ${request.command}: ${name}`
    const answer = answers[i] as RawResponse
    const body = JSON.parse(answer.body) as Record<string, unknown>
    if ('status' in outcome) {
      t.equal(answer.status, outcome.status, label)
      t.match(body, { error: outcome.error, error_description: String, errors: [{ code: String, message: String }] })
      continue
    }
    t.equal(answer.status, 200, label)
    const token = recordToken(String(body['access_token']))
    t.match(body, { token, scope: outcome.scope, token_type: 'Bearer' }, label)
    t.ok(Number.isInteger(body['expires_in']) && Number(body['expires_in']) >= 60, 'distribution raises shorter lives to a minute')
    const { sub, access } = decodeJwt(token)
    t.equal(sub, outcome.sub)
    t.strictSame((access as { type: string, name: string, actions: string[] }[]).map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' '), outcome.scope)
  }
  t.strictSame(Object.keys(OUTCOMES).filter(name => !tried.has(name)), [], 'every outcome of the table was seen')
})
