// What does a manifest say that is attached to another one, and what is refused with which sentence.
import t from 'tap'
import { refusalIn } from '../../helpers/refusal.ts'
import { attachedIn, hasSubject, MOST_BLOBS, referrerOf, type AttachedManifest } from '../../../src/doors/oci/attached-manifest.ts'
import { MANIFEST_TYPE } from '../../../src/doors/oci/manifest.ts'
import { readManifest } from '../../../src/doors/oci/read-manifest.ts'

const hex = (digit: string): string => digit.repeat(64)
const of = (digit: string, size = 1): object => ({ mediaType: 'text/plain', digest: `sha256:${hex(digit)}`, size })
const EMPTY = { mediaType: 'application/vnd.oci.empty.v1+json', digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a', size: 2 }
const good = { schemaVersion: 2, config: EMPTY, layers: [of('a'), of('b', 2)], subject: of('c', 3) }

const read = (manifest: object): AttachedManifest => attachedIn(readManifest(Buffer.from(JSON.stringify(manifest)), MANIFEST_TYPE))

await t.test('it has a subject or none, and each of its blobs once, without the empty config', async t => {
  const [a, b, c] = [{ hex: hex('a'), size: 1 }, { hex: hex('b'), size: 2 }, { hex: hex('c'), size: 3 }]
  t.strictSame(read(good), { subject: c, blobs: [a, b] })
  t.strictSame(read({ ...good, subject: undefined }), { subject: undefined, blobs: [a, b] })
  t.strictSame(read({ ...good, config: of('c', 3), layers: [of('b', 2), EMPTY, of('b', 2), of('c', 3)], artifactType: 'x', annotations: { a: 'b' } }).blobs, [c, b])
  t.strictSame(read({ ...good, layers: [] }).blobs, [])
  t.equal(hasSubject(good), true)
  t.equal(hasSubject({ ...good, subject: undefined }), false)
})

await t.test('anything else is refused with what it is', async t => {
  const cases: [name: string, manifest: object, sentence: RegExp][] = [
    ['no layers', { ...good, layers: {} }, /no list of layers/],
    ['no config', { ...good, config: undefined }, /the config has no media type/],
    ['a subject that is none', { ...good, subject: 'x' }, /the subject has no media type/],
    ['a layer elsewhere', { ...good, layers: [{ ...of('a'), urls: [] }] }, /the layer is elsewhere/],
    ['an artifact type that is none', { ...good, artifactType: 1 }, /artifactType is no text/],
    ['annotations that are none', { ...good, annotations: { a: 1 } }, /the annotations are no texts/],
    ['annotations as a list', { ...good, annotations: ['a'] }, /the annotations are no texts/],
    ['two sizes', { ...good, layers: [of('a', 1), of('a', 2)] }, /two sizes of sha256:aaa/],
    ['another size of the empty config', { ...good, config: { ...EMPTY, size: 3 } }, /two sizes of sha256:44136/],
    ['too many blobs', { ...good, layers: Array.from({ length: MOST_BLOBS + 1 }, (_, i) => ({ mediaType: 'text/plain', digest: `sha256:${String(i).padStart(64, '0')}`, size: 1 })) }, /at most 256 blobs/]
  ]
  for (const [name, manifest, detail] of cases) t.match(refusalIn(() => read(manifest)), { code: 'oci_manifest_invalid', detail }, name)
})

await t.test('it is listed with its type, or that of its config, and its annotations', async t => {
  const listed = (manifest: object): object => referrerOf(Buffer.from(JSON.stringify(manifest)), hex('d'))
  const base = { mediaType: MANIFEST_TYPE, digest: `sha256:${hex('d')}` }
  t.strictSame(listed(good), { ...base, size: JSON.stringify(good).length, artifactType: EMPTY.mediaType })
  t.match(listed({ ...good, artifactType: '' }), { artifactType: EMPTY.mediaType }, 'an empty type is none')
  t.match(listed({ ...good, artifactType: 'x', annotations: { a: 'b' } }), { artifactType: 'x', annotations: { a: 'b' } })
})
