// Requests that never become whole, connections without any, and bytes that are none.
import { chooseManner, credentialsOf, type Action, type Client } from '../client.ts'
import type { Random } from '../random.ts'
import { cut, headOf, readableNamed, readablesOf, readOf } from '../requests.ts'
import { ENDINGS } from '../wire.ts'

const FORM = 'Content-Type: application/x-www-form-urlencoded'

/** What is no request, by what it is called in a note. */
const NO_REQUESTS: readonly (readonly [what: string, bytes: string | Buffer])[] = [
  ['the hello of TLS', Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])],
  ['CONNECT', 'CONNECT charts.example.test:443 HTTP/1.1\r\nHost: charts.example.test:443\r\n\r\n'],
  ['an upgrade', 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ['HTTP/9.9', 'GET / HTTP/9.9\r\n\r\n'],
  ['the hello of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['empty lines', '\r\n'.repeat(5000)],
  ['a target without an end', `GET /${'x'.repeat(60_000)}`],
  ['NULs', '\0'.repeat(3000)],
  ['nothing', '']
]

async function halfHeads (client: Client, random: Random): Promise<void> {
  const count = random.between(5, 40)
  const { wait, ending } = chooseManner(random, 100, 2500)
  client.note(`${count} connections with half a head, after ${wait} ms ${ending}`)
  const bytes = readOf(random.pick(readablesOf(client.tenant)), credentialsOf(client, random))
  const lines = Array.from({ length: count }, () => client.wire.open())
  for (const line of lines) line.send(cut(bytes, random))
  await client.wire.pause(wait)
  for (const line of lines) line.end(ending)
}

async function halfBodies (client: Client, random: Random): Promise<void> {
  const count = random.between(3, 20)
  const { wait, ending } = chooseManner(random, 100, 2500)
  const { tenant } = client
  const target = random.pick([`/api/${tenant}/charts`, `/api/${tenant}/prov`, '/oauth/token', `/${tenant}/index.yaml`])
  const framing = random.pick(['Content-Length: 3000000', 'Transfer-Encoding: chunked'])
  client.note(`${count} × POST ${target} with half a body (${framing}), after ${wait} ms ${ending}`)
  const piece = Buffer.alloc(random.pick([1, 4_000, 100_000]), 'a')
  const chunk = [Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]
  const head = headOf({ method: 'POST', target, headers: [credentialsOf(client, random), FORM, framing] })
  const lines = Array.from({ length: count }, () => client.wire.open())
  for (const line of lines) {
    line.send(head)
    line.send(framing.startsWith('Content-Length') ? piece : Buffer.concat(chunk))
  }
  await client.wire.pause(wait)
  for (const line of lines) line.end(ending)
}

async function hangingExpectations (client: Client, random: Random): Promise<void> {
  const count = random.between(3, 30)
  const { wait, ending } = chooseManner(random, 100, 2000)
  client.note(`${count} uploads that wait for 100 Continue and then send nothing, after ${wait} ms ${ending}`)
  const headers = [credentialsOf(client, random), 'Content-Length: 5000', 'Expect: 100-continue']
  const head = headOf({ method: 'POST', target: `/api/${client.tenant}/charts`, headers })
  const lines = Array.from({ length: count }, () => client.wire.open())
  for (const line of lines) line.send(head)
  await client.wire.pause(wait)
  for (const line of lines) line.end(ending)
}

async function floodOfConnections (client: Client, random: Random): Promise<void> {
  const [count, asks] = [random.pick([50, 200, 500]), random.percent(50)]
  const { wait, ending } = chooseManner(random, 100, 1500)
  client.note(`${count} connections at once that ask for ${asks ? 'the index' : 'nothing'}, after ${wait} ms ${ending}`)
  const bytes = readOf(readableNamed(client.tenant, 'index'), credentialsOf(client, random))
  const lines = Array.from({ length: count }, () => client.wire.open())
  if (asks) for (const line of lines) line.send(bytes)
  await client.wire.pause(wait)
  for (const line of lines) line.end(ending)
}

async function noRequests (client: Client, random: Random): Promise<void> {
  const [count, [what, bytes], ending] = [random.between(3, 20), random.pick(NO_REQUESTS), random.pick(ENDINGS)]
  client.note(`${count} connections with ${what}, then ${ending}`)
  for (let i = 0; i < count; i++) {
    const line = client.wire.open()
    line.send(bytes)
    await client.wire.pause(random.between(0, 30))
    line.end(ending)
  }
}

export const HALVES: readonly Action[] = [
  { name: 'half-heads', weight: 4, run: halfHeads },
  { name: 'half-bodies', weight: 4, run: halfBodies },
  { name: 'hanging-expectations', weight: 3, run: hangingExpectations },
  { name: 'flood-of-connections', weight: 2, run: floodOfConnections },
  { name: 'no-requests', weight: 2, run: noRequests }
]
