// Reads as no client should: many at once, unread, broken off, in parts.
import { PLACES } from '../cast.ts'
import { chooseManner, credentialsOf, type Action, type Client } from '../client.ts'
import type { Random } from '../random.ts'
import { readableNamed, readablesOf, readOf } from '../requests.ts'
import { ENDINGS, READINGS } from '../wire.ts'

/** How deep a pipeline is. */
const DEPTHS = [2, 3, 10, 40, 140, 500, 1000]

const RANGES = [
  'bytes=0-0', 'bytes=0-', 'bytes=-1', 'bytes=5-1', 'bytes=99999999999999999999-', 'bytes=a-b', 'lines=1-2',
  `bytes=${'0-1,'.repeat(200)}0-1`
]
const CONDITIONS = [
  'If-None-Match: *', 'If-None-Match: "x", W/"y"', 'If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT',
  'If-Match: "x"', 'If-Unmodified-Since: yesterday', 'If-Range: "x"'
]

async function pipelinedDownloads (client: Client, random: Random): Promise<void> {
  const file = random.pick(['large file', 'large file', 'streamed file'])
  const depth = random.pick(DEPTHS)
  const { reading, wait, ending } = chooseManner(random, 20, 1500)
  client.note(`${depth} × GET of the ${file} on one connection, reads ${reading}, after ${wait} ms ${ending}`)
  const line = client.wire.open({ reading })
  line.send(readOf(readableNamed(client.tenant, file), credentialsOf(client, random)).repeat(depth))
  await client.wire.pause(wait)
  line.end(ending)
}

async function pipelinedReads (client: Client, random: Random): Promise<void> {
  const readables = readablesOf(random.percent(30) ? PLACES.common : client.tenant)
  const depth = random.pick(DEPTHS)
  const { reading, wait, ending } = chooseManner(random, 20, 1000)
  const reads = Array.from({ length: depth }, () => random.pick(readables))
  const first = reads.slice(0, 5).map(({ what }) => what).join(', ')
  client.note(`${depth} reads on one connection (${first}, …), reads ${reading}, after ${wait} ms ${ending}`)
  const credentials = credentialsOf(client, random)
  const line = client.wire.open({ reading })
  line.send(reads.map(each => readOf(each, credentials)).join(''))
  await client.wire.pause(wait)
  line.end(ending)
}

async function unreadDownloads (client: Client, random: Random): Promise<void> {
  const count = random.pick([5, 20, 60, 140])
  const { wait, ending } = chooseManner(random, 500, 4000)
  client.note(`${count} connections that ask for the large file and do not read, after ${wait} ms ${ending}`)
  const bytes = readOf(readableNamed(client.tenant, 'large file'), credentialsOf(client, random))
  const lines = Array.from({ length: count }, () => client.wire.open({ reading: 'nothing' }))
  for (const line of lines) line.send(bytes)
  await client.wire.pause(wait)
  for (const line of lines) line.end(ending)
}

async function abortedAnswers (client: Client, random: Random): Promise<void> {
  const count = random.between(5, 30)
  const what = random.pick(['large file', 'streamed file', 'index', 'list of the API'])
  client.note(`${count} × GET of the ${what}, broken off before, at or after its first bytes`)
  const bytes = readOf(readableNamed(client.tenant, what), credentialsOf(client, random))
  for (let i = 0; i < count; i++) {
    const line = client.wire.open({ reading: random.pick(READINGS) })
    line.send(bytes)
    await line.received(random.pick([0, 1, 100_000]), random.between(0, 60))
    line.end(random.pick(ENDINGS))
  }
}

async function slowReaders (client: Client, random: Random): Promise<void> {
  const [count, ending] = [random.between(3, 25), random.pick(ENDINGS)]
  const what = random.pick(['large file', 'streamed file'])
  client.note(`${count} connections that read the ${what} a piece at a time for 3 s, then ${ending}`)
  const bytes = readOf(readableNamed(client.tenant, what), credentialsOf(client, random))
  const lines = Array.from({ length: count }, () => client.wire.open({ reading: 'drips' }))
  for (const line of lines) line.send(bytes)
  await client.wire.pause(3000)
  for (const line of lines) line.end(ending)
}

async function partsAndConditions (client: Client, random: Random): Promise<void> {
  const [readable, ending] = [random.pick(readablesOf(client.tenant)), random.pick(ENDINGS)]
  const part = random.percent(70) ? [`Range: ${random.pick(RANGES)}`] : []
  const more = [...part, ...random.percent(70) ? [random.pick(CONDITIONS)] : []]
  const said = more.map(line => line.slice(0, 60)).join(' and ')
  client.note(`8 × ${readable.what} with ${said === '' ? 'nothing' : said}, one after the other, then ${ending}`)
  const line = client.wire.open()
  const bytes = readOf(readable, credentialsOf(client, random), more)
  for (let i = 1; i <= 8; i++) {
    line.send(bytes)
    await line.received(i * 200, 200)
  }
  line.end(ending)
}

export const READS: readonly Action[] = [
  { name: 'pipelined-downloads', weight: 6, run: pipelinedDownloads },
  { name: 'pipelined-reads', weight: 6, run: pipelinedReads },
  { name: 'unread-downloads', weight: 5, run: unreadDownloads },
  { name: 'aborted-answers', weight: 6, run: abortedAnswers },
  { name: 'slow-readers', weight: 3, run: slowReaders },
  { name: 'parts-and-conditions', weight: 5, run: partsAndConditions }
]
