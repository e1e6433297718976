// A token chooses its algorithm (fast-jwt CVE-2023-48223 and CVE-2026-34950, json-web-token
// CVE-2023-48238, node-jws GHSA-869p-cjfg-cm3x): `none` in every spelling, and a MAC whose
// secret is the public key in every form that somebody could have it in.
import { createHmac, sign, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { startApp } from '../helpers/app.ts'
import { keyNamed } from '../helpers/keys.ts'
import { refusedEverywhere, statusWith } from '../helpers/refused.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { mintForeign, mintToken, NOW, type Recipe } from '../helpers/tokens.ts'

const theirs = await keyNamed('theirs')
const spki = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string

// As somebody writes it into a file by way of YAML: the block begins with empty lines.
const FROM_YAML = (parse(`key: |\n\n\n${spki(theirs.publicKey).replace(/^/gm, '  ')}`) as { key: string }).key

const stub = await startStubUpstream(t)
const gateway = await startApp(t, {
  origin: stub.origin,
  now: () => NOW,
  config (config) {
    const publicKey = join(config.stateDir, 'server.pem')
    writeFileSync(publicKey, FROM_YAML)
    return { ...config, tokens: { ...config.tokens, issuers: [{ name: 'cm', publicKey }] } }
  }
})
const ours = gateway.keys.current.ring.signing(NOW)

/** Every way to lie about the algorithm with somebody's public key. */
function lies (publicKey: KeyObject, extra: readonly string[]): [name: string, recipe: Recipe][] {
  const pem = spki(publicKey)
  const der = publicKey.export({ type: 'spki', format: 'der' })
  const secrets: Record<string, string | Buffer> = {
    PEM: pem,
    'PEM without its line end': pem.trim(),
    'PEM and a line end': `${pem}\n`,
    'a space and PEM': ` ${pem}`,
    'a line end and PEM': `\n${pem}`,
    'PEM of PKCS #1': publicKey.export({ type: 'pkcs1', format: 'pem' }) as string,
    DER: der,
    'DER in base64': der.toString('base64'),
    JWK: JSON.stringify(publicKey.export({ format: 'jwk' })),
    nothing: '',
    ...Object.fromEntries(extra.map((secret, i) => [`the file as it is (${i})`, secret]))
  }
  return [
    ...['none', 'None', 'NONE', 'nOnE', '', 'none '].flatMap((alg): [string, Recipe][] => [
      [`alg ${JSON.stringify(alg)} with an empty signature`, { header: { alg }, sign: () => Buffer.alloc(0) }],
      [`alg ${JSON.stringify(alg)} with some signature`, { header: { alg }, sign: () => Buffer.from('x') }]
    ]),
    ...Object.entries(secrets).flatMap(([name, secret]) => (['HS256', 'RS256'] as const).map((alg): [string, Recipe] =>
      [`${alg} that is a MAC with ${name}`, { header: { alg }, sign: input => createHmac('sha256', secret).update(input).digest() }]))
  ]
}

await t.test('the tokens that are lied about are good ones otherwise', async t => {
  t.equal(await statusWith(gateway, await mintToken({ key: ours })), 404)
  t.equal(await statusWith(gateway, await mintForeign(theirs)), 404, 'also with a key that came by way of YAML')
  t.equal(stub.seen.length, 2)
})

await t.test('no token of ours chooses its algorithm', async t => {
  const more: [string, Recipe][] = [
    ['RS512 with our key', { header: { alg: 'RS512' }, sign: input => sign('sha512', Buffer.from(input), ours.privateKey) }],
    ['PS256 with our key', { header: { alg: 'PS256' }, sign: input => sign('sha256', Buffer.from(input), { key: ours.privateKey, padding: 6, saltLength: 32 }) }],
    ['RS256 that says ES256', { header: { alg: 'ES256' } }]
  ]
  for (const [name, recipe] of [...lies(ours.publicKey, []), ...more]) await refusedEverywhere(t, gateway, stub, name, await mintToken({ key: ours, ...recipe }))
})

await t.test('no token of an issuer does', async t => {
  for (const [name, recipe] of lies(theirs.publicKey, [FROM_YAML, FROM_YAML.trimStart()])) {
    await refusedEverywhere(t, gateway, stub, name, await mintToken({ key: theirs, ...recipe, header: { kid: undefined, ...recipe.header } }))
  }
})
