// A decision that outlives its reason (Oathkeeper 198a2bc8, fast-jwt CVE-2026-35039): a
// token that was good is remembered, and its key is retired.
import { rm, writeFile } from 'node:fs/promises'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { rotateFolder } from '../../src/tokens/key-folder.ts'
import { keyNamed } from '../helpers/keys.ts'
import { refusedEverywhere, statusWith } from '../helpers/refused.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { until } from '../helpers/until.ts'
import { mintForeign, mintToken, NOW } from '../helpers/tokens.ts'

const kidsOf = async (url: string): Promise<string[]> => (await (await fetch(`${url}/.well-known/jwks.json`)).json() as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)

await t.test('a remembered token of a key that is retired is refused, whenever it ends', async t => {
  let now = NOW
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin, now: () => now })
  const [old] = await kidsOf(gateway.url)
  const first = gateway.keys.current.ring.signing(now)
  await rotateFolder(join(gateway.config.stateDir, 'keys'), 'EdDSA', 300, NOW)
  await until(async () => (await kidsOf(gateway.url)).length === 2 ? true : undefined)
  now = NOW + 3
  const next = gateway.keys.current.ring.signing(now)
  t.not(next.kid, old)

  // As if the clock of another process were wrong: it has an end when its key is long retired.
  now = NOW + 362
  const tokens = await Promise.all(['a', 'b'].map(async jti => await mintToken({ key: first, claims: { iat: now, nbf: now, exp: now + 300, jti } }))) as [string, string]
  t.equal(await statusWith(gateway, tokens[0]), 404, 'the last second of the old key')
  t.equal(await statusWith(gateway, tokens[0]), 404, 'also remembered')
  now = NOW + 363
  for (const [i, token] of tokens.entries()) await refusedEverywhere(t, gateway, stub, i === 0 ? 'remembered' : 'new', token)
  t.same(await kidsOf(gateway.url), [next.kid])
  t.equal(await statusWith(gateway, await mintToken({ key: next, claims: { iat: now, nbf: now, exp: now + 300 } })), 404)
})

await t.test('a key whose file is taken away is retired within a second', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin, now: () => NOW })
  const leaked = gateway.keys.current.ring.signing(NOW)
  await rotateFolder(join(gateway.config.stateDir, 'keys'), 'EdDSA', 300, NOW - 3)
  await until(() => gateway.keys.current.ring.signing(NOW).kid !== leaked.kid ? true : undefined)
  const token = await mintToken({ key: leaked })
  t.equal(await statusWith(gateway, token), 404)
  await rm(leaked.file)
  await until(() => gateway.keys.current.ring.states(NOW).length === 1 ? true : undefined)
  await refusedEverywhere(t, gateway, stub, 'remembered', token)
  await refusedEverywhere(t, gateway, stub, 'new', await mintToken({ key: leaked, claims: { jti: 'x' } }))
})

await t.test('a token of an issuer whose key is exchanged is refused, remembered or not', async t => {
  const stub = await startStubUpstream(t)
  const [before, after] = [await keyNamed('before'), await keyNamed('after')]
  const pem = (key: typeof before): string => key.publicKey.export({ type: 'spki', format: 'pem' }) as string
  const gateway = await startApp(t, {
    origin: stub.origin,
    now: () => NOW,
    config (config) {
      const publicKey = join(config.stateDir, 'server.pem')
      writeFileSync(publicKey, pem(before))
      return { ...config, tokens: { ...config.tokens, issuers: [{ name: 'cm', publicKey }] } }
    }
  })
  const token = await mintForeign(before)
  t.equal(await statusWith(gateway, token), 404)
  await writeFile(join(gateway.config.stateDir, 'server.pem'), pem(after))
  await until(async () => await statusWith(gateway, await mintForeign(after)) === 404 ? true : undefined)
  await refusedEverywhere(t, gateway, stub, 'remembered', token)
  await refusedEverywhere(t, gateway, stub, 'new', await mintForeign(before, { claims: { jti: 'x' } }))
})
