// A token without an end, from the future, or with an extension that nobody understands
// (fast-jwt CVE-2026-35042 and Authlib CVE-2025-59420 took any `crit`; ChartMuseum takes
// tokens without `exp`).
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { keyNamed } from '../helpers/keys.ts'
import { refusedEverywhere, statusWith } from '../helpers/refused.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { mintForeign, mintToken, NOW, rightClaims } from '../helpers/tokens.ts'

const stub = await startStubUpstream(t)
const theirs = await keyNamed('theirs')
const gateway = await startApp(t, {
  origin: stub.origin,
  now: () => NOW,
  config (config) {
    const publicKey = join(config.stateDir, 'server.pem')
    writeFileSync(publicKey, theirs.publicKey.export({ type: 'spki', format: 'pem' }))
    return { ...config, tokens: { ...config.tokens, issuers: [{ name: 'cm', publicKey }] } }
  }
})
const ours = gateway.keys.current.ring.signing(NOW)

/** What is wrong in a token of anybody. */
const TIMES: Record<string, unknown>[] = [
  ...[undefined, String(NOW + 60), 'NaN', '', null, true, [NOW + 60], {}, 0, -1, NOW - 11].map(exp => ({ exp })),
  ...[NOW + 11, NOW + 60, NOW + 31_536_000, String(NOW), null].map(nbf => ({ nbf })),
  ...[NOW + 11, NOW + 31_536_000, String(NOW), null].map(iat => ({ iat }))
]
const CRITS: Record<string, unknown>[] = [
  { crit: ['x'], x: 1 }, { crit: ['exp'], exp: NOW }, { crit: [] }, { crit: 'x' }, { crit: null }, { crit: ['x'] }, { crit: ['b64'], b64: false }, { crit: ['b64'], b64: true }, { b64: false }
]
/** What JSON has and a clock has not. */
const NUMBERS = ['1e400', '-1e400', 'NaN', 'Infinity']

await t.test('a token has to end, and to have begun', async t => {
  t.equal(await statusWith(gateway, await mintToken({ key: ours })), 404)
  t.equal(await statusWith(gateway, await mintForeign(theirs)), 404)
  for (const claims of [...TIMES, { exp: NOW + 315_360_000 }, { iat: undefined }, { nbf: undefined }]) await refusedEverywhere(t, gateway, stub, `ours, ${JSON.stringify(claims)}`, await mintToken({ key: ours, claims }))
  for (const claims of TIMES) await refusedEverywhere(t, gateway, stub, `theirs, ${JSON.stringify(claims)}`, await mintForeign(theirs, { claims }))
  const text = JSON.stringify(rightClaims())
  for (const number of NUMBERS) {
    const payload = text.replace(/"exp":\d+/, `"exp":${number}`)
    await refusedEverywhere(t, gateway, stub, `ours, exp ${number}`, await mintToken({ key: ours, payload }))
    await refusedEverywhere(t, gateway, stub, `theirs, exp ${number}`, await mintToken({ key: theirs, header: { kid: undefined }, payload }))
  }
})

await t.test('an extension that nobody understands is not overlooked', async t => {
  for (const header of CRITS) {
    await refusedEverywhere(t, gateway, stub, `ours, ${JSON.stringify(header)}`, await mintToken({ key: ours, header }))
    await refusedEverywhere(t, gateway, stub, `theirs, ${JSON.stringify(header)}`, await mintForeign(theirs, { header }))
  }
})
