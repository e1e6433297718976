// Input that may cost more than it should: long, nested, repeated, and nearly right.
import { PLACES } from '../cast.ts'
import { credentialsOf, type Action, type Client } from '../client.ts'
import { FILES } from '../shelf.ts'
import type { Random } from '../random.ts'
import { headOf } from '../requests.ts'
import { ENDINGS } from '../wire.ts'

/** With a token and the rest of a head below the 16 KiB that Node's parser takes. */
const MOST = 13_500

/** Header lines, each with something that its reader may go back over. */
const LINES: readonly string[] = [
  `Accept-Encoding: gzip;q=0.${'1'.repeat(MOST)}x`,
  `Accept-Encoding: ${'gzip;q=0.5,'.repeat(MOST / 11)}`,
  `Accept-Encoding: ${' '.repeat(MOST)}x`,
  `Accept-Encoding: ${'a;'.repeat(MOST / 2)}`,
  `If-None-Match: ${'"a",'.repeat(MOST / 4)}`,
  `If-None-Match: ${'W/'.repeat(MOST / 2)}`,
  `If-None-Match: "${'\\"'.repeat(MOST / 2)}`,
  `Range: bytes=${'0-0,'.repeat(MOST / 4)}`,
  `Authorization: Basic ${'A'.repeat(MOST)}`,
  `Authorization: Bearer ${'a.'.repeat(MOST / 2)}`,
  `Authorization: ${' '.repeat(MOST)}x`,
  `Content-Type: multipart/form-data; ${'a=b; '.repeat(MOST / 5)}`,
  `X-Forwarded-For: ${'127.0.0.1, '.repeat(MOST / 11)}`,
  `X-Request-Id: ${'a'.repeat(MOST)}`,
  `Cookie: ${'a=b;'.repeat(MOST / 4)}`
]

async function costlyHeaders (client: Client, random: Random): Promise<void> {
  const [count, ending, header] = [random.pick([1, 5, 20]), random.pick(ENDINGS), random.pick(LINES)]
  const { tenant } = client
  // A large index too: a small one is never compressed, whatever the client accepts.
  const indexes = [tenant, PLACES.common].map(each => `/${each}/index.yaml`)
  const targets = [...indexes, `/${tenant}/charts/${FILES.small}`, `/api/${tenant}/charts`, '/oauth/token']
  const target = random.pick(targets)
  client.note(`${count} × GET ${target} with ${header.slice(0, 50)}… (${header.length} bytes), then ${ending}`)
  const credentials = header.startsWith('Authorization') ? [] : [credentialsOf(client, random)]
  const line = client.wire.open()
  line.send(headOf({ target, headers: [...credentials, header] }).repeat(count))
  await line.received(count * 30, 1000)
  line.end(ending)
}

async function costlyTargets (client: Client, random: Random): Promise<void> {
  const [count, ending] = [random.pick([1, 10]), random.pick(ENDINGS)]
  const target = random.pick([
    `/api/${client.tenant}/charts?offset=${'0'.repeat(MOST)}x`,
    `/api/${client.tenant}/charts?${'limit=1&'.repeat(MOST / 8)}`,
    `/${'a/'.repeat(MOST / 2)}index.yaml`,
    `/${client.tenant}/charts/${'a-1.'.repeat(MOST / 4)}tgz`,
    `/api/${client.tenant}/charts/good/1.0.0-${'0.'.repeat(MOST / 2)}x`,
    `/api/${client.tenant}/charts/good/1.0.0-${'a'.repeat(MOST)}+`,
    `/${client.tenant}/charts/${'%41'.repeat(MOST / 3)}`,
    `/oauth/token?scope=${'a:'.repeat(MOST / 2)}`,
    `/oauth/token?${'scope=a%3Ab%3Ac&'.repeat(MOST / 16)}`
  ])
  client.note(`${count} × GET ${target.slice(0, 60)}… (${target.length} bytes), then ${ending}`)
  const line = client.wire.open()
  line.send(headOf({ target, headers: [credentialsOf(client, random)] }).repeat(count))
  await line.received(count * 30, 1000)
  line.end(ending)
}

export const COSTS: readonly Action[] = [
  { name: 'costly-headers', weight: 3, run: costlyHeaders },
  { name: 'costly-targets', weight: 2, run: costlyTargets }
]
