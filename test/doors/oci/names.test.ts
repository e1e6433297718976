import fc from 'fast-check'
import t from 'tap'
import { isTag, tagOfVersion, versionOfTag, subjectOfTag } from '../../../src/doors/oci/names.ts'
import { isVersion } from '../../../src/words/chart-names.ts'

await t.test('a version and its tag say the same, and + is _', async t => {
  for (const [version, tag] of [['1.2.3', '1.2.3'], ['v1.2', 'v1.2'], ['1.0.0-rc.1+build.5', '1.0.0-rc.1_build.5']] as const) {
    t.equal(tagOfVersion(version), tag)
    t.equal(versionOfTag(tag), version)
  }
  t.equal(tagOfVersion(`1.0.0-${'a'.repeat(130)}`), undefined, 'a tag is not so long')
  for (const tag of ['latest', '1.2.3.4', 'sha256-abc.sig', '1.0.0_a_b', '_1.0.0']) t.equal(versionOfTag(tag), undefined, tag)
})

await t.test('every version that a tag can say comes back from it', async () => {
  const part = fc.string({ unit: fc.constantFrom(...'abcXYZ019-'), minLength: 1, maxLength: 8 })
  const version = fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.array(part, { maxLength: 3 }), fc.array(part, { maxLength: 3 }))
    .map(([major, minor, patch, pre, build]) => `${major}.${minor}.${patch}${pre.length > 0 ? `-${pre.join('.')}` : ''}${build.length > 0 ? `+${build.join('.')}` : ''}`)
    .filter(isVersion)
  fc.assert(fc.property(version, version => {
    const tag = tagOfVersion(version)
    return tag === undefined || (isTag(tag) && versionOfTag(tag) === version)
  }), { numRuns: 500 })
})

await t.test('cosign\'s tags say a digest, and what is written like one says none', async t => {
  const hex = 'a'.repeat(64)
  for (const kind of ['sig', 'att', 'sbom']) t.equal(subjectOfTag(`sha256-${hex}.${kind}`), hex)
  for (const tag of ['1.0.0', `sha256-${hex}`, `sha256-${hex}.other`, `sha256-${hex}a.sig`, `sha256-${'A'.repeat(64)}.sig`, 'sha256-a.sig']) t.equal(subjectOfTag(tag), undefined, tag)
})
