// Uploads: good ones, slow ones, those that are broken off, several of the same at once,
// and names that a repository takes and may not be able to say again.
import { randomBytes } from 'node:crypto'
import { formOf } from '../../../helpers/packages.ts'
import { PLACES } from '../cast.ts'
import { tokenOf, upload, type Action, type Client } from '../client.ts'
import type { Random } from '../random.ts'
import { postOf, uploadTarget } from '../requests.ts'
import { chart } from '../shelf.ts'
import { ENDINGS } from '../wire.ts'

/** Of every kind that the grammar of names allows at its edges. */
const ODD_NAMES = ['a..b', 'x...', '..x', '-x', '_', '.x', 'x.', 'a.tgz', 'index.yaml', '1', 'null', 'charts']
const LENGTHS = [128, 129, 200, 240, 241, 245, 250]
const VERSIONS = ['0.1.0', 'v1.2.3', '1.0', '1', '1.0.0-rc.1+b.1', '0.0.0-0']

async function goodPushes (client: Client, random: Random): Promise<void> {
  const count = random.between(1, 8)
  const [place, query] = [random.pick([client.tenant, PLACES.common]), random.pick(['', '', '?force'])]
  client.note(`${count} good pushes to ${place}${query}`)
  for (let i = 0; i < count; i++) {
    const body = chart(`chart${random.below(6)}`, `${random.below(3)}.${random.below(30)}.0`)
    await upload(client, uploadTarget(place) + query, body, { ending: random.pick(ENDINGS) })
  }
}

async function oddNames (client: Client, random: Random): Promise<void> {
  const place = random.pick([client.tenant, PLACES.common])
  const name = random.percent(60) ? random.pick(ODD_NAMES) : 'n'.repeat(random.pick(LENGTHS))
  const version = random.pick(VERSIONS)
  client.note(`push of ${name.length > 20 ? `a name of ${name.length} letters` : name} ${version} to ${place}`)
  await upload(client, uploadTarget(place), chart(name, version), { ending: random.pick(ENDINGS) })
}

async function sameVersion (client: Client, random: Random): Promise<void> {
  const [count, version] = [random.between(2, 20), `1.0.${random.below(1000)}`]
  client.note(`${count} pushes of same ${version} to ${PLACES.common} at once`)
  const body = chart('same', version)
  const [target, ending] = [uploadTarget(PLACES.common), 'close'] as const
  await Promise.all(Array.from({ length: count }, async () => { await upload(client, target, body, { ending }) }))
}

async function slowUploads (client: Client, random: Random): Promise<void> {
  const [count, ending] = [random.between(2, 15), random.pick(ENDINGS)]
  client.note(`${count} uploads that come in 20 pieces for 2 s, then ${ending}`)
  const bytes = postOf(uploadTarget(client.tenant), [tokenOf(client)], chart('slow', `0.${random.below(100)}.0`))
  const lines = Array.from({ length: count }, () => client.wire.open())
  const size = Math.ceil(bytes.length / 20)
  for (let at = 0; at < bytes.length; at += size) {
    for (const line of lines) line.send(bytes.subarray(at, at + size))
    await client.wire.pause(100)
  }
  for (const line of lines) line.end(ending)
}

async function abortedUploads (client: Client, random: Random): Promise<void> {
  const [count, isForm] = [random.between(3, 20), random.percent(50)]
  client.note(`${count} ${isForm ? 'forms' : 'uploads'} that are broken off somewhere, or right behind their end`)
  const bytes = isForm ? largeForm(client, random) : perhapsLarge(client, random)
  for (let i = 0; i < count; i++) {
    const line = client.wire.open()
    line.send(random.percent(20) ? bytes : bytes.subarray(0, random.between(1, bytes.length)))
    await client.wire.pause(random.pick([0, 1, 5, 20, 100]))
    line.end(random.pick(ENDINGS))
  }
}

function largeForm (client: Client, random: Random): Buffer {
  const file = { field: 'chart', filename: 'x.tgz', body: chart('cut', `0.${random.below(100)}.0`) }
  const [prov, pad] = [{ field: 'prov', body: 'none' }, { field: 'pad', body: randomBytes(300_000) }]
  const { contentType, body } = formOf([file, prov, pad])
  return postOf(uploadTarget(client.tenant), [tokenOf(client), `Content-Type: ${contentType}`], body)
}

function perhapsLarge (client: Client, random: Random): Buffer {
  const body = Buffer.concat([chart('cut', `1.${random.below(100)}.0`), randomBytes(random.pick([0, 300_000]))])
  return postOf(`${uploadTarget(client.tenant)}?force`, [tokenOf(client)], body)
}

export const UPLOADS: readonly Action[] = [
  { name: 'good-pushes', weight: 4, run: goodPushes },
  { name: 'odd-names', weight: 3, run: oddNames },
  { name: 'same-version', weight: 2, run: sameVersion },
  { name: 'slow-uploads', weight: 3, run: slowUploads },
  { name: 'aborted-uploads', weight: 5, run: abortedUploads }
]
