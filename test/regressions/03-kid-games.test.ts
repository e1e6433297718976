// A kid that nobody knows (PyJWT CVE-2026-48524: random ones made the key set be fetched
// for each, and wiped what was known), and kids that want to be more than a name.
import { sign } from 'node:crypto'
import t from 'tap'
import { Pool } from 'undici'
import { startApp } from '../helpers/app.ts'
import { encode } from '../helpers/jwt-lab.ts'
import { keyNamed } from '../helpers/keys.ts'
import { INDEX, refusedEverywhere, statusWith } from '../helpers/refused.ts'
import { sendRaw } from '../helpers/raw.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { until } from '../helpers/until.ts'
import { mintForeign, mintToken, NOW, rightClaims } from '../helpers/tokens.ts'
import { inShort } from '../helpers/in-short.ts'

/** Among them. */
const GOOD = 20
const FLOOD = inShort(600, 10_000)
/** As src/tokens/remote-keys.ts has it: seconds between two fetches. */
const BETWEEN = 10

const stub = await startStubUpstream(t)
const jwks = await startStubUpstream(t)
const theirs = await keyNamed('theirs', 'EdDSA')
jwks.answer = () => ({ body: JSON.stringify({ keys: [{ ...theirs.publicKey.export({ format: 'jwk' }), kid: 'good' }] }) })
const gateway = await startApp(t, {
  origin: stub.origin,
  now: () => NOW,
  config: config => ({ ...config, log: { level: 'silent', reads: false }, tokens: { ...config.tokens, issuers: [{ name: 'corp', jwksUrl: `${jwks.origin}/keys` }] } })
})

await t.test('a flood of unknown kids asks a broken token server a few times, and keeps no good token out', async t => {
  const good = async (i: number): Promise<string> => await mintForeign(theirs, { header: { kid: 'good' }, claims: { jti: String(i) } })
  t.equal(await statusWith(gateway, await good(-1)), 404, 'the first token waits for the first keys')
  await until(() => jwks.seen.length === 1 ? true : undefined)
  jwks.answer = () => ({ status: 500 })

  const payload = encode(rightClaims())
  const unknown = (i: number): string => {
    const input = `${encode({ alg: 'EdDSA', kid: `unknown-${i}` })}.${payload}`
    return `${input}.${sign(null, Buffer.from(input), theirs.privateKey).toString('base64url')}`
  }
  const pool = new Pool(gateway.url, { connections: 8, pipelining: 8 })
  t.teardown(async () => { await pool.destroy() })
  const ask = async (token: string): Promise<number> => {
    const { statusCode, body } = await pool.request({ method: 'GET', path: INDEX, headers: { authorization: `Bearer ${token}` } })
    await body.dump()
    return statusCode
  }
  const begin = Date.now()
  const [bad, passed] = [new Map<number, number>(), new Map<number, number>()]
  let next = 0
  await Promise.all(Array.from({ length: 64 }, async () => {
    while (next < FLOOD) {
      const i = next++
      const [found, status] = i % (FLOOD / GOOD) === 0 ? [passed, await ask(await good(i))] : [bad, await ask(unknown(i))]
      found.set(status, (found.get(status) ?? 0) + 1)
    }
  }))
  const most = 1 + Math.ceil((Date.now() - begin) / 1000 / BETWEEN) + 1
  t.strictSame([...bad], [[401, FLOOD - GOOD]])
  t.strictSame([...passed], [[404, GOOD]])
  t.ok(jwks.seen.length <= most, `${jwks.seen.length} fetches, at most ${most}`)
  t.equal(await statusWith(gateway, await good(FLOOD)), 404, 'and afterwards')
})

await t.test('a kid is a name, and no path, query or program', async t => {
  const ours = gateway.keys.current.ring.signing(NOW)
  const names = ['../../dev/null', '/dev/null', "' OR 1", "' UNION SELECT 'x' --", '| id', '$(id)', '__proto__', 'constructor', `${ours.kid}\0`, '', 'x'.repeat(4_000)]
  for (const kid of names) await refusedEverywhere(t, gateway, stub, kid.slice(0, 40), await mintToken({ key: ours, header: { kid } }))
  for (const kid of [null, 5, [ours.kid], { kid: ours.kid }]) await refusedEverywhere(t, gateway, stub, JSON.stringify(kid), await mintToken({ key: ours, header: { kid } }))
})

await t.test('a kid of a megabyte does not get past the headers', async t => {
  const before = stub.seen.length
  const token = await mintToken({ key: gateway.keys.current.ring.signing(NOW), header: { kid: 'x'.repeat(1_000_000) } })
  const answer = await sendRaw(gateway.port, `GET ${INDEX} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  t.ok(answer.text === '' || answer.status === 431, answer.text.slice(0, 60))
  t.equal(stub.seen.length, before)
  t.equal(await statusWith(gateway, await mintToken({ key: gateway.keys.current.ring.signing(NOW) })), 404, 'and the next one is served')
})
