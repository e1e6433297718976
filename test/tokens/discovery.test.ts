// Discovery documents, right and wrong, and what is fetched by them.
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createRemoteKeys, FETCH_LIMITS } from '../../src/tokens/remote-keys.ts'
import { discoverKeys } from '../../src/tokens/discovery.ts'
import { Authority } from '../helpers/certificates.ts'
import { startIssuer } from '../helpers/federation.ts'
import { testFolder } from '../helpers/folder.ts'
import { keyNamed } from '../helpers/keys.ts'

const PLACE = '/.well-known/openid-configuration'
const bounds = (): Parameters<typeof discoverKeys>[2] => ({ bytes: 1_000, signal: AbortSignal.timeout(5_000) })

await t.test('the document has to be of that issuer, to the letter, and lead to an https URL', async t => {
  const { issuer, documents, seen } = await startIssuer(t)
  t.equal(await discoverKeys(issuer, undefined, bounds()), `${issuer}/keys`)
  const wrong: [string, RegExp][] = [
    ['<html>', /not a JSON object/],
    ['null', /not a JSON object/],
    ['[]', /of another issuer/],
    [JSON.stringify({ issuer: `${issuer}/`, jwks_uri: `${issuer}/keys` }), /of another issuer/],
    [JSON.stringify({ issuer: [issuer], jwks_uri: `${issuer}/keys` }), /of another issuer/],
    [JSON.stringify({ issuer }), /jwks_uri .* is no https URL/],
    [JSON.stringify({ issuer, jwks_uri: 'http://169.254.169.254/keys' }), /jwks_uri .* is no https URL/],
    [JSON.stringify({ issuer, jwks_uri: 'file:///etc/passwd' }), /jwks_uri .* is no https URL/]
  ]
  for (const [body, expected] of wrong) {
    documents.set(PLACE, { body })
    await t.rejects(discoverKeys(issuer, undefined, bounds()), { message: expected }, body)
  }
  documents.set(PLACE, { status: 302, headers: { location: '/elsewhere' }, body: '' })
  await t.rejects(discoverKeys(issuer, undefined, bounds()), { message: 'it answered 302' })
  t.equal(seen.every(({ url }) => url === PLACE), true, 'nobody is followed anywhere')
})

await t.test('who is asked over https sends nobody to this machine', async t => {
  const authority = Authority.make(testFolder(t))
  const { certText: cert, keyText: key } = authority.issue()
  let keys = 'http://127.0.0.1:80/keys'
  const server = createServer({ cert, key }, (_request, response) => { response.end(JSON.stringify({ issuer, jwks_uri: keys })) })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  const issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  await t.rejects(discoverKeys(issuer, authority.cert, bounds()), { message: /jwks_uri .* is no https URL/ })
  keys = 'https://keys.example.test/'
  t.equal(await discoverKeys(issuer, authority.cert, bounds()), keys)
})

await t.test('an issuer with a slash at its end has its document behind one slash, and is another one', async t => {
  const { issuer, documents, seen } = await startIssuer(t)
  await t.rejects(discoverKeys(`${issuer}/`, undefined, bounds()), { message: /of another issuer/ })
  documents.set(PLACE, { body: JSON.stringify({ issuer: `${issuer}/`, jwks_uri: `${issuer}/keys` }) })
  t.equal(await discoverKeys(`${issuer}/`, undefined, bounds()), `${issuer}/keys`)
  t.strictSame([...new Set(seen.map(({ url }) => url))], [PLACE])
})

await t.test('keys that are discovered stay through an outage, for a day', async t => {
  const { issuer, documents } = await startIssuer(t, await keyNamed('platform'))
  let time = 0
  const remote = createRemoteKeys({ discover: issuer }, FETCH_LIMITS, () => time)
  t.strictSame(remote.keys(), [])
  await remote.refresh()
  t.equal(remote.keys().length, 1)
  documents.clear()
  time += FETCH_LIMITS.between
  await remote.refresh()
  t.equal(remote.keys().length, 1)
  time = FETCH_LIMITS.keep
  t.strictSame(remote.keys(), [])
  remote.close()
})
