import t from 'tap'
import { digestOfHex, hexOfDigest, isDigest } from '../../src/words/digest.ts'

await t.test('a digest has an algorithm, and of those that are registered the right length', async t => {
  const hex = '0a'.repeat(32)
  for (const digest of [`sha256:${hex}`, `sha512:${hex}${hex}`, 'multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8', 'sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564']) t.equal(isDigest(digest), true, digest)
  for (const digest of ['', 'sha256', 'sha256:', `sha256:${hex}0`, `sha256:${hex.toUpperCase()}`, `sha512:${hex}`, `SHA256:${hex}`, `sha256:${hex}:`, 'a:b/c', `x:${'a'.repeat(300)}`]) t.equal(isDigest(digest), false, digest)
  t.equal(digestOfHex(hex), `sha256:${hex}`)
  t.equal(hexOfDigest(`sha256:${hex}`), hex)
  t.equal(hexOfDigest(`sha512:${hex}${hex}`), undefined)
})
