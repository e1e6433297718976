// What is a manifest of a chart, and what is refused with which sentence.
import t from 'tap'
import { refusalIn } from '../../helpers/refusal.ts'
import { ARCHIVE_TYPE, CONFIG_TYPE, MANIFEST_TYPE, PROVENANCE_TYPE } from '../../../src/doors/oci/manifest.ts'
import { chartIn, checkConfig, type PushedManifest } from '../../../src/doors/oci/pushed-manifest.ts'
import { readManifest } from '../../../src/doors/oci/read-manifest.ts'

const chartOf = (bytes: Buffer, type: string): PushedManifest => chartIn(readManifest(bytes, type))
const digest = (digit: string): string => `sha256:${digit.repeat(64)}`
const config = { mediaType: CONFIG_TYPE, digest: digest('c'), size: 3 }
const archive = { mediaType: ARCHIVE_TYPE, digest: digest('a'), size: 1 }
const provenance = { mediaType: PROVENANCE_TYPE, digest: digest('b'), size: 2 }
const good = { schemaVersion: 2, config, layers: [archive] }

const read = (manifest: object | string, type = MANIFEST_TYPE): PushedManifest =>
  chartOf(Buffer.from(typeof manifest === 'string' ? manifest : JSON.stringify(manifest)), type)

await t.test('a chart is a config, an archive, and a provenance or none, in any order', async t => {
  const [ofConfig, ofArchive] = [{ mediaType: CONFIG_TYPE, hex: 'c'.repeat(64), size: 3 }, { mediaType: ARCHIVE_TYPE, hex: 'a'.repeat(64), size: 1 }]
  t.strictSame(read(good), { config: ofConfig, archive: ofArchive })
  t.strictSame(read({ ...good, mediaType: MANIFEST_TYPE, annotations: { a: 'b' }, artifactType: 'x' }), { config: ofConfig, archive: ofArchive })
  for (const layers of [[archive, provenance], [provenance, archive]]) t.match(read({ ...good, layers }), { provenance: { hex: 'b'.repeat(64), size: 2 } })
  t.match(read(good, `${MANIFEST_TYPE.toUpperCase()} ; charset=utf-8`), { archive: { size: 1 } })
  const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a', size: 2 }
  t.match(read({ ...good, config: empty }), { config: { size: 2 } })
})

await t.test('anything else is refused with what it is', async t => {
  const cases: [name: string, manifest: object | string, sentence: RegExp, type?: string][] = [
    ['an index', good, /is pushed as application\/vnd\.oci\.image\.manifest/, 'application/vnd.oci.image.index.v1+json'],
    ['no media type', good, /is pushed as/, ''],
    ['no JSON', '{', /no JSON object/],
    ['no object', '[]', /no JSON object/],
    ['null', 'null', /no JSON object/],
    ['a key twice', JSON.stringify(good).replace('{', '{"layers":[],'), /all readers read in one way/],
    ['a key in other letters', { ...good, Layers: [] }, /all readers read in one way/],
    ['another version', { ...good, schemaVersion: 1 }, /schema version 2/],
    ['another type inside', { ...good, mediaType: 'application/vnd.docker.distribution.manifest.v2+json' }, /none of an OCI image/],
    ['an attachment', { ...good, subject: config }, /attached to another one/],
    ['no layers', { ...good, layers: undefined }, /no list of layers/],
    ['layers that are none', { ...good, layers: [1] }, /the layer has no media type or no digest/],
    ['no archive', { ...good, layers: [provenance] }, /one archive/],
    ['two archives', { ...good, layers: [archive, archive] }, /one archive/],
    ['two provenances', { ...good, layers: [archive, provenance, provenance] }, /one provenance file at most/],
    ['an image', { ...good, layers: [archive, { ...archive, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' }] }, /a layer is "application\/vnd\.oci\.image\.layer/],
    ['a foreign layer', { ...good, layers: [{ ...archive, urls: ['https://example.com/'] }] }, /the layer is elsewhere/],
    ['no config', { ...good, config: undefined }, /the config has no media type/],
    ['a config of an image', { ...good, config: { ...config, mediaType: 'application/vnd.oci.image.config.v1+json' } }, /the config of a chart is/],
    ['a digest that is none', { ...good, config: { ...config, digest: 'sha256:x' } }, /no media type or no digest/],
    ['a digest of another kind', { ...good, layers: [{ ...archive, digest: `sha512:${'a'.repeat(128)}` }] }, /another digest than sha256/],
    ['no size', { ...good, layers: [{ ...archive, size: '1' }] }, /no size/],
    ['a size below nothing', { ...good, layers: [{ ...archive, size: -1 }] }, /no size/]
  ]
  for (const [name, manifest, detail, type] of cases) t.match(refusalIn(() => read(manifest, type)), { code: 'oci_manifest_invalid', detail }, name)
  t.match(refusalIn(() => chartOf(Buffer.from([0x7b, 0xff, 0x7d]), MANIFEST_TYPE)), { detail: /no JSON object/ }, 'no UTF-8')
})

await t.test('a config says the name and the version of its chart, or nothing', async t => {
  const chart = { name: 'mychart', version: '1.0.0' }
  for (const text of ['{}', '{"name":"mychart","version":"1.0.0"}', '{"version":"1.0.0","name":"mychart","more":1}']) t.doesNotThrow(() => { checkConfig(Buffer.from(text), chart) }, text)
  for (const text of ['{ }', '', '[]', 'null', '{"name":"mychart"}', '{"name":"mychart","version":"1.0.1"}', '{"name":"Mychart","version":"1.0.0"}']) t.match(refusalIn(() => { checkConfig(Buffer.from(text), chart) }), { code: 'oci_manifest_invalid' }, text)
})
