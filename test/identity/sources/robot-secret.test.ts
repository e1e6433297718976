import t from 'tap'
import { digestOf, looksLikeSecret, makeSecret } from '../../../src/identity/sources/robot-secret.ts'

await t.test('a secret has a prefix that scanners know, 256 bits of chance and a checksum', t => {
  const secrets = Array.from({ length: 100 }, makeSecret)
  t.equal(new Set(secrets).size, 100)
  for (const secret of secrets) {
    t.match(secret, /^cgr_[0-9a-f]{72}$/)
    t.equal(looksLikeSecret(secret), true)
    t.match(digestOf(secret), /^[0-9a-f]{64}$/)
  }
  t.end()
})

await t.test('a mistyped secret, another one and a part of one are known by their form', t => {
  const secret = makeSecret()
  const flipped = [...Array(72).keys()].map(i => i + 4).map(i => secret.slice(0, i) + (secret[i] === '0' ? '1' : '0') + secret.slice(i + 1))
  for (const wrong of [...flipped, '', 'cgr_', secret.slice(1), secret.slice(0, -1), `${secret}0`, `${secret}\n`, ` ${secret}`, secret.toUpperCase(), secret.replace('cgr_', 'ghp_'), `cgr_${'0'.repeat(72)}`]) {
    t.equal(looksLikeSecret(wrong), false, wrong)
  }
  t.end()
})
