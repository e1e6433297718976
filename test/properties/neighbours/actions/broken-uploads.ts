// Uploads that are no charts, and forms that are none.
import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { rawTar, rawTgz } from '../../../helpers/archives.ts'
import { formOf } from '../../../helpers/packages.ts'
import { upload, type Action, type Client } from '../client.ts'
import type { Random } from '../random.ts'
import { uploadTarget } from '../requests.ts'
import { chart } from '../shelf.ts'
import { ENDINGS } from '../wire.ts'

const YAML = { name: 'x/Chart.yaml', body: 'name: x\nversion: 1.0.0\n' }
const ZEROS = 50 * 1024 * 1024

const BROKEN: readonly (readonly [what: string, bytes: () => Buffer])[] = [
  ['nothing', () => Buffer.alloc(0)],
  ['no gzip', () => randomBytes(50_000)],
  ['half a gzip', () => chart('x', '1.0.0').subarray(0, 120)],
  ['gzip of no tar', () => gzipSync(randomBytes(50_000))],
  ['a tar without a chart', () => rawTgz([{ name: 'x/values.yaml', body: 'a: 1' }])],
  ['a chart without a name', () => rawTgz([{ name: 'x/Chart.yaml', body: 'apiVersion: v2\nversion: 1.0.0\n' }])],
  ['50 MiB of zeros', () => gzipSync(Buffer.concat([rawTar([YAML], Buffer.alloc(0)), Buffer.alloc(ZEROS)]))],
  ['thousands of files', () => rawTgz(Array.from({ length: 9_000 }, (_, i) => ({ name: `x/${i}` })))],
  ['a name that leads elsewhere', () => rawTgz([{ ...YAML, name: '../Chart.yaml' }])],
  ['a Chart.yaml of brackets', () => rawTgz([{ name: 'x/Chart.yaml', body: '['.repeat(20_000) }])]
]

async function brokenUploads (client: Client, random: Random): Promise<void> {
  const [[what, bytes], count] = [random.pick(BROKEN), random.between(1, 5)]
  client.note(`${count} uploads of ${what}`)
  const body = bytes()
  for (let i = 0; i < count; i++) {
    await upload(client, uploadTarget(client.tenant), body, { ending: random.pick(ENDINGS) })
  }
}

async function manyParts (client: Client, random: Random): Promise<void> {
  const [count, field] = [random.pick([2, 100, 2_000, 8_000]), random.pick(['', 'chart', 'prov', 'x'])]
  const ending = random.pick(ENDINGS)
  client.note(`a form of ${count} parts called '${field}', ${ending} after the answer`)
  const parts = Array.from({ length: count }, () => ({ field, body: '' }))
  const { contentType, body } = formOf(parts, { closed: random.percent(80) })
  await upload(client, uploadTarget(client.tenant), body, { contentType, ending })
}

export const BROKEN_UPLOADS: readonly Action[] = [
  { name: 'broken-uploads', weight: 4, run: brokenUploads },
  { name: 'many-parts', weight: 2, run: manyParts }
]
