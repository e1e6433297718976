// The canonical manifest, against what Helm was recorded to push.
import t from 'tap'
import { contentOf } from '../../../src/doors/oci/entry.ts'
import { ARCHIVE_TYPE, PROVENANCE_TYPE, canonicalManifest, isManifestOf } from '../../../src/doors/oci/manifest.ts'
import { namedIn } from '../../../src/doors/oci/read-manifest.ts'

/** What Helm 3.21.4 pushed for the chart of the recordings, but for the time of the file. */
const PUSHED = '{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:f5ad66957c486760b3a30f3a82a492b1250e69f7065998f30a49600ae7fafb15","size":272},"layers":[{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"sha256:c197857fbec83f66d7e02585b0212271576e540c96cff2e91becadbfa3af8243","size":442}],"annotations":{"category":"Test","org.opencontainers.image.authors":"ops (ops@example.test)","org.opencontainers.image.description":"mychart chart \\u003ca\\u0026b\\u003e of the recorder","org.opencontainers.image.title":"mychart","org.opencontainers.image.version":"0.2.0"}}'
const CONFIG = '{"name":"mychart","version":"0.2.0","description":"mychart chart \\u003ca\\u0026b\\u003e of the recorder","keywords":["web"],"maintainers":[{"name":"ops","email":"ops@example.test"}],"apiVersion":"v2","appVersion":"1.0","annotations":{"category":"Test"},"type":"application"}'
const ARCHIVE = { hex: 'c197857fbec83f66d7e02585b0212271576e540c96cff2e91becadbfa3af8243', size: 442 }

const versionOf = (text: string): Parameters<typeof canonicalManifest>[0] => ({ config: contentOf(Buffer.from(text)), metadata: JSON.parse(text) as Record<string, unknown> })
const annotationsOf = (metadata: object): Record<string, string> => (JSON.parse(canonicalManifest(versionOf(JSON.stringify(metadata)), ARCHIVE, undefined).bytes.toString()) as { annotations: Record<string, string> }).annotations

await t.test('it is what Helm writes, byte for byte, without the time at which the file was packed', async t => {
  t.equal(canonicalManifest(versionOf(CONFIG), ARCHIVE, undefined).bytes.toString(), PUSHED)
})

await t.test('a provenance is a second layer, and layers are in the order of their digests', async t => {
  for (const first of ['0', 'f']) {
    const { layers } = JSON.parse(canonicalManifest(versionOf(CONFIG), ARCHIVE, { hex: first.repeat(64), size: 5 }).bytes.toString()) as { layers: { mediaType: string }[] }
    t.strictSame(layers.map(({ mediaType }) => mediaType), first === '0' ? [PROVENANCE_TYPE, ARCHIVE_TYPE] : [ARCHIVE_TYPE, PROVENANCE_TYPE])
  }
})

await t.test('annotations are those of Helm, and then the chart\'s own', async t => {
  const prefix = 'org.opencontainers.image.'
  t.strictSame(annotationsOf({
    name: 'x',
    version: '1.0.0',
    description: ' ',
    home: 'https://h',
    sources: ['https://s', 'https://t'],
    maintainers: [{ name: 'a', email: 'a@x' }, { name: 'b' }, { email: 'c@x' }, null, { name: 1, email: 2 }],
    annotations: { [`${prefix}title`]: 'other', [`${prefix}version`]: '2', [`${prefix}created`]: '2020-01-01T00:00:00Z', own: '<&>', odd: 1 }
  }), { own: '<&>', [`${prefix}authors`]: 'a (a@x), b,  (c@x), , ', [`${prefix}created`]: '2020-01-01T00:00:00Z', [`${prefix}source`]: 'https://s', [`${prefix}title`]: 'x', [`${prefix}url`]: 'https://h', [`${prefix}version`]: '1.0.0' })
  t.strictSame(annotationsOf({ name: 'x', version: '1', sources: [], maintainers: [] }), { [`${prefix}title`]: 'x', [`${prefix}version`]: '1' })
})

await t.test('keys stand in the order of their bytes', async t => {
  const text = canonicalManifest(versionOf('{"name":"x","version":"1","annotations":{"\u{1f600}":"a","\uff5e":"b","10":"c","9":"d","A":"e"}}'), ARCHIVE, undefined).bytes.toString()
  const order = ['"10"', '"9"', '"A"', '"org.', '"\uff5e"', '"\u{1f600}"'].map(key => text.indexOf(key))
  t.strictSame(order, [...order].sort((one, other) => one - other))
})

await t.test('a pushed manifest is one of what is stored when it names the archive, its metadata and the provenance, and no other', async t => {
  const provenance = contentOf(Buffer.from('signed'))
  const other = contentOf(Buffer.from('other'))
  const plain = canonicalManifest(versionOf(CONFIG), ARCHIVE, undefined).bytes
  const signed = canonicalManifest(versionOf(CONFIG), ARCHIVE, { hex: provenance.hex, size: 6 }).bytes
  const config = contentOf(Buffer.from(CONFIG))
  const stored = (archive: string, provenance: typeof other | undefined): Parameters<typeof isManifestOf>[1] => ({ archive, config, provenance })
  t.equal(isManifestOf(plain, stored(ARCHIVE.hex, undefined)), true)
  t.equal(isManifestOf(plain, stored(ARCHIVE.hex, provenance)), false)
  t.equal(isManifestOf(signed, stored(ARCHIVE.hex, provenance)), true)
  t.equal(isManifestOf(signed, stored(ARCHIVE.hex, other)), false)
  t.equal(isManifestOf(signed, stored(ARCHIVE.hex, undefined)), false)
  t.equal(isManifestOf(plain, stored('0'.repeat(64), undefined)), false)
  t.equal(isManifestOf(plain, { ...stored(ARCHIVE.hex, undefined), config: other }), false, 'with another config than the metadata of the repository')
})

await t.test('a manifest names its config and its layers, and what is none names nothing', async t => {
  t.strictSame(namedIn(Buffer.from(PUSHED)), ['f5ad66957c486760b3a30f3a82a492b1250e69f7065998f30a49600ae7fafb15', ARCHIVE.hex])
  t.strictSame(namedIn(Buffer.from(`{"config":{},"layers":[{"digest":"sha256:../${ARCHIVE.hex}"},{"digest":"sha512:${ARCHIVE.hex}${ARCHIVE.hex}"},{"digest":5}]}`)), [])
  for (const text of ['', 'null', '{}', '{"config":{},"layers":5}', '{"config":null,"layers":[]}', '{"config":{},"layers":[null]}']) t.equal(namedIn(Buffer.from(text)), undefined, text)
})
