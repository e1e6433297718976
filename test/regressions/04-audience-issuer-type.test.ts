// A token that is good somewhere else (jwt-go GO-2020-0017 skipped an audience that was a
// list, MCP registry CVE-2026-44428 had one audience for every deployment): of another
// audience or issuer, or no access token at all, signed with the right key.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { keyNamed } from '../helpers/keys.ts'
import { refusedEverywhere, statusWith } from '../helpers/refused.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { mintForeign, mintToken, NOW, SOURCE } from '../helpers/tokens.ts'

const stub = await startStubUpstream(t)
const theirs = await keyNamed('theirs')
const gateway = await startApp(t, {
  origin: stub.origin,
  now: () => NOW,
  config (config) {
    const publicKey = join(config.stateDir, 'server.pem')
    writeFileSync(publicKey, theirs.publicKey.export({ type: 'spki', format: 'pem' }))
    return { ...config, tokens: { ...config.tokens, issuers: [{ name: 'corp', publicKey, issuer: 'https://login.example.test', audience: 'charts' }] } }
  }
})
const ours = gateway.keys.current.ring.signing(NOW)
const THEIRS = { iss: 'https://login.example.test', aud: 'charts' }

await t.test('audience and issuer of our own tokens are ours', async t => {
  for (const claims of [{}, { aud: [SOURCE.audience] }, { aud: ['other', SOURCE.audience] }]) t.equal(await statusWith(gateway, await mintToken({ key: ours, claims })), 404)
  const wrong: Record<string, unknown>[] = [
    ...[undefined, '', 'other.example.test', `${SOURCE.audience}/`, [], ['other.example.test'], [[SOURCE.audience]], 5, true, null, { 0: SOURCE.audience }].map(aud => ({ aud })),
    ...[undefined, '', 'http://other.example.test', `${SOURCE.issuer}/`, [SOURCE.issuer], 5, null, THEIRS.iss].map(iss => ({ iss })),
    THEIRS
  ]
  for (const claims of wrong) await refusedEverywhere(t, gateway, stub, JSON.stringify(claims), await mintToken({ key: ours, claims }))
})

await t.test('those of an issuer\'s tokens are what is configured for it', async t => {
  for (const claims of [THEIRS, { ...THEIRS, aud: ['other', 'charts'] }]) t.equal(await statusWith(gateway, await mintForeign(theirs, { claims })), 404)
  const wrong: Record<string, unknown>[] = [
    ...[undefined, '', 'chart', [], ['other'], [['charts']], 5, null, SOURCE.audience].map(aud => ({ ...THEIRS, aud })),
    ...[undefined, '', 'https://login.example.test/', ['https://login.example.test'], null, SOURCE.issuer].map(iss => ({ ...THEIRS, iss }))
  ]
  for (const claims of wrong) await refusedEverywhere(t, gateway, stub, JSON.stringify(claims), await mintForeign(theirs, { claims }))
})

await t.test('a refresh token or an identity token is no access token', async t => {
  for (const typ of ['refresh+jwt', 'Refresh', 'id_token', 'logout+jwt', 'dpop+jwt', 5, null, ['JWT']]) {
    await refusedEverywhere(t, gateway, stub, `ours, typ ${typ}`, await mintToken({ key: ours, header: { typ } }))
    await refusedEverywhere(t, gateway, stub, `theirs, typ ${typ}`, await mintForeign(theirs, { claims: THEIRS, header: { typ } }))
  }
  await refusedEverywhere(t, gateway, stub, 'ours, without a typ', await mintToken({ key: ours, header: { typ: undefined } }))
  await refusedEverywhere(t, gateway, stub, 'theirs, without access', await mintForeign(theirs, { claims: { ...THEIRS, access: undefined, nonce: 'x', at_hash: 'x' } }))
})
