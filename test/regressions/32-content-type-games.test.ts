// Class 32: a body that one reader takes for this and another for that. Fastify
// CVE-2026-25223 (a tab in the Content-Type left its schema out) and CVE-2026-33806 (a
// space before it did). At the token endpoint a body is a form or the request is refused:
// none is passed over while the query grants something else.
import t from 'tap'
import { newPassword } from '../helpers/secrets.ts'
import { sendRaw, type RawResponse } from '../helpers/raw.ts'
import { basic, startTeam } from '../helpers/team.ts'

const password = newPassword()
const FORM = 'application/x-www-form-urlencoded'
const [IN_QUERY, IN_BODY] = ['artifact-repository:org1/repo1:pull', 'artifact-repository:org2/repo2:pull']

const { gateway } = await startTeam(t, {
  people: [{ name: 'alice', password }],
  policy: [{ repositories: ['*/*'], subjects: ['user:alice'], actions: ['pull'] }]
})

interface Sent { readonly query?: string, readonly headers?: readonly string[], readonly body?: string | Buffer, readonly method?: string }

async function send ({ query = '', headers = [], body = '', method = 'POST' }: Sent): Promise<RawResponse> {
  const bytes = Buffer.from(body)
  const lines = [`${method} /oauth/token${query} HTTP/1.1`, 'Host: x', `Authorization: ${basic('alice', password)}`, ...headers, `Content-Length: ${bytes.length}`, 'Connection: close', '', '']
  return await sendRaw(gateway.port, Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), bytes]))
}

function grantedBy ({ status, body }: RawResponse): string {
  return status === 200 ? (JSON.parse(body) as { scope: string }).scope : String(status)
}

const body = `grant_type=client_credentials&scope=${IN_BODY}`

await t.test('what is a form is read as one, in every spelling of RFC 9110', async t => {
  const types = [FORM, `${FORM};charset=UTF-8`, `${FORM}; charset=utf-8`, `${FORM} ; charset=utf-8`, `${FORM}\t;\tcharset=utf-8`, FORM.toUpperCase(), ` ${FORM}`, `\t${FORM}`, `${FORM} `, `${FORM};`, `${FORM}; charset="utf-8"`, `${FORM};a=b;c=d`]
  for (const type of types) t.equal(grantedBy(await send({ headers: [`Content-Type:${type}`], body })), IN_BODY, JSON.stringify(type))
  t.equal(grantedBy(await send({ query: `?grant_type=client_credentials&scope=${IN_QUERY}` })), IN_QUERY, 'no type, no body')
  t.equal(grantedBy(await send({ query: `?grant_type=client_credentials&scope=${IN_QUERY}`, headers: [`Content-Type: ${FORM}`] })), IN_QUERY, 'a type without a body')
  t.equal(grantedBy(await send({ query: `?scope=${IN_BODY}`, headers: [`Content-Type: ${FORM}`], body })), IN_BODY, 'the same in both')
})

await t.test('a body that is no form is refused, and never passed over for the query', async t => {
  const types = [
    'application/json', ' application/json', '\tapplication/json', 'application/json\t', 'application/json\t; charset=utf-8', 'application/json ; x', 'application/JSON', 'application/json;', 'application/vnd.api+json',
    'text/plain', 'text/plain; charset=utf-8', 'multipart/form-data; boundary=x', 'application/xml', 'application/octet-stream', '*/*', 'application/*',
    `${FORM}x`, `x${FORM}`, `${FORM}, application/json`, `application/json, ${FORM}`, `application/json; a=${FORM}`, `text/plain\t${FORM}`, `${FORM}\tx`, `${FORM} x`, 'application /x-www-form-urlencoded', 'application/ x-www-form-urlencoded', 'application/x-www-form-urlencoded+json', 'application', '/', ';', 'x', '\u00a0application/json'
  ]
  const bodies = [body, `{"grant_type":"client_credentials","scope":"${IN_BODY}"}`, '{}', ' ', '\0']
  for (const query of [`?grant_type=client_credentials&scope=${IN_QUERY}`, '']) {
    for (const type of types) {
      for (const text of bodies) {
        const answer = await send({ query, headers: [`Content-Type: ${type}`], body: text })
        t.equal(answer.status, 400, `${JSON.stringify(type)}, ${JSON.stringify(text)}, ${query}`)
        t.match(JSON.parse(answer.body), { error: 'invalid_request', errors: [{ code: 'UNSUPPORTED' }] })
      }
    }
    for (const text of bodies.slice(0, 3)) t.equal((await send({ query, body: text })).status, 400, `no type, ${text}`)
    for (const text of bodies.slice(0, 3)) t.equal((await send({ query, headers: ['Content-Type:'], body: text })).status, 400, `an empty type, ${text}`)
  }
})

await t.test('query and body that differ are refused, also where one of them is hidden', async t => {
  const type = `Content-Type: ${FORM}`
  const query = `?grant_type=client_credentials&scope=${IN_QUERY}`
  const bodies = [body, `scope=${IN_BODY}`, 'scope=', `scope=${IN_QUERY}&scope=${IN_BODY}`, `%73cope=${IN_BODY}`, 'grant_type=password', `scope=${encodeURIComponent(IN_QUERY)}%20x`]
  for (const text of bodies) t.equal((await send({ query, headers: [type], body: text })).status, 400, text)
  t.equal((await send({ query: '', headers: [type, 'Content-Type: application/json'], body })).status, 400, 'two types')
  t.equal((await send({ query: '', headers: ['Content-Type: application/json', type], body })).status, 400, 'two types, the form last')
  for (const encoding of ['gzip', 'identity, gzip', 'br']) {
    const answer = await send({ query, headers: [type, `Content-Encoding: ${encoding}`], body: 'x=y' })
    t.ok(answer.status === 400 || grantedBy(answer) === IN_QUERY, `${encoding}: ${answer.status}`)
  }
})

await t.test('a GET has no body that says anything', async t => {
  for (const type of [FORM, 'application/json']) {
    const answer = await send({ method: 'GET', query: `?scope=${IN_QUERY}`, headers: [`Content-Type: ${type}`], body: `scope=${IN_BODY}` })
    t.ok(answer.status === 400 || grantedBy(answer) === IN_QUERY, `${type}: ${grantedBy(answer)}`)
  }
})
