// What the API says of a version, cut as Go wrote it.
import { createHash } from 'node:crypto'
import t from 'tap'
import { archivesOf, entriesOf, readEntry, versionsOf } from '../../../src/doors/oci/entry.ts'

const HEX = 'a'.repeat(64)
const TAIL = `,"urls":["charts/x-1.0.0.tgz"],"created":"2026-01-01T00:00:00Z","digest":"${HEX}"}`

await t.test('the config is the metadata, byte for byte, also where a text in it looks like what follows', async t => {
  const head = '{"name":"x","version":"1.0.0","description":"\\u003ca\\u003e ,\\"urls\\":[ and }","annotations":{",\\"urls\\":[":"1"}'
  const entry = readEntry(Buffer.from(head + TAIL))
  const bytes = Buffer.from(head + '}')
  t.match(entry, { name: 'x', version: '1.0.0', file: 'x-1.0.0.tgz', archive: HEX, config: { bytes, hex: createHash('sha256').update(bytes).digest('hex') } })
  t.match(entry?.metadata, { description: '<a> ,"urls":[ and }' })
})

await t.test('the file is the end of the first link, wherever it leads', async t => {
  t.equal(readEntry(Buffer.from(`{"name":"x","version":"1.0.0","urls":["https://elsewhere/a/charts/y.tgz"],"digest":"${HEX}"}`))?.file, 'y.tgz')
})

await t.test('what is no entry, or lacks something, is none', async t => {
  const cases = [
    '', '{}', 'null', '[]', '{"name":"x"', `{"name":"x","version":"1.0.0"${TAIL}}`, `{"name":1,"version":"1.0.0"${TAIL}`, `{"name":"x"${TAIL}`,
    `{"name":"x","version":"1.0.0","urls":[],"digest":"${HEX}"}`, `{"name":"x","version":"1.0.0","urls":[1],"digest":"${HEX}"}`,
    '{"name":"x","version":"1.0.0","urls":["a.tgz"]}', `{"name":"x","version":"1.0.0","urls":["a.tgz"],"urls":1,"digest":"${HEX}"}`, '{"name":"x","version":"1.0.0","urls":["a.tgz"],"digest":"sha256:1"}', `1,"urls":["a.tgz"],"digest":"${HEX}"}`,
    ...['..', 'charts/..', 'a.tgz?x', 'a.tgz/', '%2e%2e.tgz', 'charts/a\\b.tgz', '.tgz'].map(url => `{"name":"x","version":"1.0.0","urls":[${JSON.stringify(url)}],"digest":"${HEX}"}`)
  ]
  for (const text of cases) t.equal(readEntry(Buffer.from(text)), undefined, text)
})

await t.test('the entries of a list are found as they stand', async t => {
  const entries = ['{"a":"[{\\"]}"}', '{"b":[1,{"c":2}],"d":"\\\\"}', '{}']
  t.strictSame(entriesOf(Buffer.from(`[${entries.join(',')}]`)).map(String), entries)
  t.strictSame(entriesOf(Buffer.from('[]')), [])
  t.strictSame(entriesOf(Buffer.from('')), [])
  t.strictSame(versionsOf(Buffer.from('[{"version":"1.0.0"},{"version":1},null,{}]')), ['1.0.0'])
  t.equal(versionsOf(Buffer.from('{"error":"x"}')), undefined)
  t.equal(versionsOf(Buffer.from('[')), undefined)
})

await t.test('a list says all that is listed, or nothing', async t => {
  const entry = { name: 'x', version: '1.0.0', urls: ['x.tgz'], digest: HEX }
  const read = (...entries: unknown[]): unknown => archivesOf(Buffer.from(JSON.stringify(entries)))
  t.strictSame(read(entry, { version: '2.0.0', digest: HEX }), [{ version: '1.0.0', archive: HEX }, { version: '2.0.0', archive: HEX }])
  t.strictSame(read(), [])
  for (const odd of [null, 1, {}, { version: '2.0.0' }, { version: 2, digest: HEX }, { version: '2.0.0', digest: 'sha256:1' }]) t.equal(read(entry, odd), undefined, JSON.stringify(odd))
  for (const text of ['', '[', '{}', 'null', '"no list"', '<html>']) t.equal(archivesOf(Buffer.from(text)), undefined, text)
})
