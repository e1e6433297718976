// A token brings the key that it is to be checked with (distribution CVE-2025-24976: the
// kid was compared, the key was not): `jwk`, `jku`, `x5u`, `x5c`, under the right kid.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { keyNamed, strangersKey } from '../helpers/keys.ts'
import { refusedEverywhere } from '../helpers/refused.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { mintToken, NOW } from '../helpers/tokens.ts'

const stub = await startStubUpstream(t)
const network = await startStubUpstream(t)
const theirs = await keyNamed('theirs')
const gateway = await startApp(t, {
  origin: stub.origin,
  now: () => NOW,
  config (config) {
    const jwksFile = join(config.stateDir, 'jwks.json')
    writeFileSync(jwksFile, JSON.stringify({ keys: [{ ...theirs.publicKey.export({ format: 'jwk' }), kid: 'their-kid' }] }))
    return { ...config, tokens: { ...config.tokens, issuers: [{ name: 'cm', jwksFile }] } }
  }
})

await t.test('a key that comes with a token counts for nothing, and none is fetched from where it says', async t => {
  const stranger = await strangersKey()
  const url = `${network.origin}/keys`
  network.answer = () => ({ body: JSON.stringify({ keys: [{ ...jwk, kid: 'x' }] }) })
  const jwk = stranger.publicKey.export({ format: 'jwk' })
  const x5c = [stranger.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')]
  const kids = { ours: gateway.keys.current.ring.signing(NOW).kid, theirs: 'their-kid', 'its own': stranger.kid, no: undefined }
  for (const [whose, kid] of Object.entries(kids)) {
    const headers = { nothing: {}, jwk: { jwk: { ...jwk, kid } }, jku: { jku: url }, x5u: { x5u: url }, x5c: { x5c }, 'all of them': { jwk, jku: url, x5u: url, x5c, 'x5t#S256': 'x' } }
    for (const [name, header] of Object.entries(headers)) {
      await refusedEverywhere(t, gateway, stub, `${name}, under ${whose} kid`, await mintToken({ key: stranger, header: { ...header, kid } }))
    }
  }
  t.equal(network.seen.length, 0)
})
