// Steps 1 to 5 of the README's walkthrough, with curl, against any running gateway that
// has the demo's key and mychart 0.1.0 in org1/repo1. Step 6 is in test/clients/.
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { calculateJwkThumbprint, createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT, type JSONWebKeySet, type JWTPayload } from 'jose'
import { parse } from 'yaml'
import { curl, download, type CurlAnswer } from './curl.ts'
import type { Gateway } from './gateway.ts'
import { chartOf, provenanceOf } from './packages.ts'
import { temporaryFolder } from './processes.ts'
import { recordToken } from './secrets.ts'

type ErrorParameter = 'invalid_token' | 'insufficient_scope'

const TENANT = 'org1/repo1'

/** Runs every step as a test of its own. */
export async function walkThrough (t: Test, gateway: Gateway): Promise<void> {
  await t.test('1. without credentials, the challenge says where a token comes from', async t => { await stepChallenge(t, gateway) })
  await t.test('2. the master key gets a token for one tenant and one action', async t => { await stepToken(t, gateway) })
  await t.test('3. the token is an RS256 JWT whose key is published', async t => { await stepClaims(t, gateway) })
  await t.test('4. the token opens the index', async t => { await stepIndex(t, gateway) })
  await t.test('5. a token for pull,push uploads a chart and its provenance', async t => { await stepPush(t, gateway) })
  await t.test('5. no other token uploads or reads', async t => { await stepRefusals(t, gateway) })
}

/** A token with exactly this scope, asked for as in step 2. */
export async function tokenFor (gateway: Gateway, scope: string): Promise<string> {
  const answer = await askToken(gateway, scope)
  return recordToken((JSON.parse(answer.body) as { access_token: string }).access_token)
}

/** POSTs a file as step 5 does. */
export async function upload (gateway: Gateway, token: string, file: string, path = `/api/${TENANT}/charts`): Promise<CurlAnswer> {
  return await curl('-H', `Authorization: Bearer ${token}`, '--data-binary', `@${file}`, bare(gateway) + path)
}

async function askToken ({ url }: Gateway, scope: string): Promise<CurlAnswer> {
  return await curl('-X', 'POST', '-H', 'Authorization: Bearer MASTERKEY', `${url}/oauth/token?grant_type=client_credentials&scope=${scope}`)
}

/** localhost:PORT, as the walkthrough writes it. */
function bare ({ url }: Gateway): string {
  return url.replace('http://', '')
}

/** The one Bearer challenge of this gateway. */
function challenge (gateway: Gateway, action: string, error?: ErrorParameter): string {
  return `Bearer realm="${gateway.url}/oauth/token",service="${bare(gateway)}",scope="artifact-repository:${TENANT}:${action}"${error === undefined ? '' : `,error="${error}"`}`
}

async function stepChallenge (t: Test, gateway: Gateway): Promise<void> {
  const answer = await curl(`${bare(gateway)}/${TENANT}/index.yaml`)
  t.equal(answer.status, 401)
  const [first, second, ...more] = answer.header('www-authenticate')
  t.equal(first, challenge(gateway, 'pull'))
  t.match(second, /^Basic realm="[^"]+"/)
  t.same(more, [])
  t.equal((JSON.parse(answer.body) as { error: string }).error, 'unauthorized')
}

async function stepToken (t: Test, gateway: Gateway): Promise<void> {
  const scope = `artifact-repository:${TENANT}:pull`
  const answer = await askToken(gateway, scope)
  t.equal(answer.status, 200)
  t.same(answer.header('cache-control'), ['no-store'])
  const { token, issued_at: issuedAt, ...body } = JSON.parse(answer.body) as Record<string, string>
  t.strictSame(body, { access_token: token, token_type: 'Bearer', expires_in: 300, scope })
  t.match(issuedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
}

async function stepClaims (t: Test, gateway: Gateway): Promise<void> {
  const token = await tokenFor(gateway, `artifact-repository:${TENANT}:pull`)
  const { alg, kid } = decodeProtectedHeader(token)
  t.equal(alg, 'RS256')
  const claims = decodeJwt(token)
  t.same(claims['access'], [{ type: 'artifact-repository', name: TENANT, actions: ['pull'] }])
  t.equal(Number(claims.exp) - Number(claims.iat), 300)
  t.same([claims.iss, claims.aud, claims.sub], [gateway.url, bare(gateway), 'key:master'])
  t.match(claims, { nbf: Number, jti: /./ })

  const published = JSON.parse((await curl(`${bare(gateway)}/.well-known/jwks.json`)).body) as JSONWebKeySet
  const jwk = published.keys.find(key => key.kid === kid)
  t.ok(jwk, 'the kid is in the key set')
  t.equal(await calculateJwkThumbprint(jwk ?? {}, 'sha256'), kid)
  await t.resolves(jwtVerify(token, createLocalJWKSet(published), { algorithms: ['RS256'] }))
}

async function stepIndex (t: Test, gateway: Gateway): Promise<void> {
  const token = await tokenFor(gateway, `artifact-repository:${TENANT}:pull`)
  t.ok((await versionsIn(t, gateway, token)).includes('0.1.0'))
}

async function stepPush (t: Test, gateway: Gateway): Promise<void> {
  const folder = await temporaryFolder(t)
  const token = await tokenFor(gateway, `artifact-repository:${TENANT}:pull,push`)
  const [chart, prov] = [join(folder, 'x.tgz'), join(folder, 'x.tgz.prov')]
  await writeFile(chart, await chartOf('mychart', '0.2.0'))
  await writeFile(prov, provenanceOf('mychart', '0.2.0'))

  const saved = await upload(gateway, token, chart)
  t.same([saved.status, saved.body], [201, '{"saved":true}'])
  t.ok((await versionsIn(t, gateway, token)).includes('0.2.0'), 'the next index has it')
  const savedProv = await upload(gateway, token, prov, `/api/${TENANT}/prov`)
  t.same([savedProv.status, savedProv.body], [201, '{"saved":true}'])

  for (const [sent, name] of [[chart, 'mychart-0.2.0.tgz'], [prov, 'mychart-0.2.0.tgz.prov']] as const) {
    const received = join(folder, 'received')
    t.equal(await download(received, '-H', `Authorization: Bearer ${token}`, `${bare(gateway)}/${TENANT}/charts/${name}`), 200)
    t.ok((await readFile(received)).equals(await readFile(sent)), `${name} comes back byte for byte`)
  }
}

async function stepRefusals (t: Test, gateway: Gateway): Promise<void> {
  const chart = join(await temporaryFolder(t), 'x.tgz')
  await writeFile(chart, await chartOf('mychart', '0.3.0'))
  const pull = await tokenFor(gateway, `artifact-repository:${TENANT}:pull`)
  const push = await tokenFor(gateway, `artifact-repository:${TENANT}:pull,push`)
  const forged = await forgeries(push, gateway)
  const index = async (token: string): Promise<CurlAnswer> => await curl('-H', `Authorization: Bearer ${token}`, `${bare(gateway)}/${TENANT}/index.yaml`)
  t.equal((await index(forged.valid)).status, 200, 'a token made here like the others, with nothing wrong in it')

  const other = await tokenFor(gateway, 'artifact-repository:org2/repo2:pull,push')
  const cases: [string, string, ErrorParameter, ('pull' | 'push')[]][] = [
    ['for pull alone', pull, 'insufficient_scope', ['push']],
    ['of another tenant', other, 'insufficient_scope', ['pull', 'push']],
    ['that has expired', forged.expired, 'invalid_token', ['pull', 'push']],
    ['of a foreign key', forged.foreign, 'invalid_token', ['pull', 'push']],
    ['with more rights written into it', forged.tampered, 'invalid_token', ['pull', 'push']]
  ]
  for (const [name, token, error, actions] of cases) {
    for (const action of actions) {
      const answer = action === 'pull' ? await index(token) : await upload(gateway, token, chart)
      t.equal(answer.status, 401, `a token ${name}: ${action}`)
      t.equal(answer.header('www-authenticate')[0], challenge(gateway, action, error))
      t.match(JSON.parse(answer.body), { error: String })
    }
  }
  t.notOk((await versionsIn(t, gateway, pull)).includes('0.3.0'), 'nothing of it was stored')
}

/** Tokens that differ from a real one in one thing each. */
export async function forgeries (real: string, { stateDir }: Gateway): Promise<Record<'valid' | 'expired' | 'foreign' | 'tampered', string>> {
  const ours = createPrivateKey(await readFile(join(stateDir, 'keys', 'token.pem')))
  const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const claims = decodeJwt(real)
  const sign = async (changes: JWTPayload, key: KeyObject): Promise<string> => await new SignJWT({ ...claims, ...changes }).setProtectedHeader({ ...decodeProtectedHeader(real), alg: 'RS256' }).sign(key)
  const hourAgo = Number(claims.iat) - 3600
  // more rights than were granted, under the signature of the real one
  const more = [{ type: 'artifact-repository', name: TENANT, actions: ['pull', 'push', 'overwrite', 'delete'] }]
  const payload = Buffer.from(JSON.stringify({ ...claims, access: more })).toString('base64url')
  const [header, , signature] = real.split('.')
  return {
    valid: await sign({}, ours),
    expired: await sign({ iat: hourAgo, nbf: hourAgo, exp: hourAgo + 300 }, ours),
    foreign: await sign({}, foreign),
    tampered: [header, payload, signature].join('.')
  }
}

/** Which versions of mychart the index has. */
async function versionsIn (t: Test, gateway: Gateway, token: string): Promise<string[]> {
  const answer = await curl('-H', `Authorization: Bearer ${token}`, `${bare(gateway)}/${TENANT}/index.yaml`)
  t.equal(answer.status, 200)
  const index = parse(answer.body) as { apiVersion: string, entries: { mychart?: { version: string }[] } }
  t.equal(index.apiVersion, 'v1')
  return (index.entries.mychart ?? []).map(({ version }) => version)
}
