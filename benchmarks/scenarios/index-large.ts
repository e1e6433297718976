// An index of 4,000 versions: whole, for who has it already, and how many bytes it is.
import { startChartMuseum } from '../lab/chartmuseum.ts'
import { VERSIONS, manyCharts } from '../lab/charts.ts'
import { startInFront } from '../lab/gateway.ts'
import type { Lab } from '../lab/lab.ts'
import type { MaybeServer } from '../lab/server.ts'
import { get } from '../load/answer.ts'
import { indexOf, notModified } from '../load/expectations.ts'
import { asking, drive, rate, type Ask } from '../load/contestants.ts'
import type { Contestant, Scenario } from '../scenario.ts'
import { gunzipSync } from 'node:zlib'
import { GATEWAY_0S, GATEWAY_1S, INDEX, MUSEUM_BEARER } from './names.ts'

const ASK: Ask = { path: INDEX, expect: indexOf(VERSIONS) }
const CONDITIONAL = 'If-None-Match'

export const indexLarge: Scenario = {
  name: 'index-large',
  title: 'index of 4,000 versions, 32 connections',
  goals: [
    { measured: GATEWAY_0S, against: MUSEUM_BEARER, unit: '×', at: 'least', bound: 1 },
    { measured: GATEWAY_1S, against: MUSEUM_BEARER, unit: '×', at: 'least', bound: 1.3 },
    { measured: `${GATEWAY_0S}, ${CONDITIONAL}`, against: MUSEUM_BEARER, unit: '×', at: 'least', bound: 4 },
    { measured: `${GATEWAY_1S}, ${CONDITIONAL}`, against: MUSEUM_BEARER, unit: '×', at: 'least', bound: 20 },
    { measured: `${MUSEUM_BEARER}, bytes`, against: `${GATEWAY_0S}, bytes with gzip`, unit: '×', at: 'least', bound: 10 }
  ],
  async open (lab) {
    const upstream = await startChartMuseum(lab, { charts: manyCharts, auth: 'bearer', place: 'beside' })
    const museum = await startChartMuseum(lab, { charts: manyCharts, auth: 'bearer' })
    const fresh = await startInFront(lab, upstream)
    const kept = await startInFront(lab, upstream, { maxAge: '1s' })
    return [
      asking(lab, MUSEUM_BEARER, museum, ASK),
      asking(lab, GATEWAY_0S, fresh, ASK),
      asking(lab, GATEWAY_1S, kept, ASK),
      conditional(lab, GATEWAY_0S, fresh),
      conditional(lab, GATEWAY_1S, kept),
      asking(lab, `${GATEWAY_0S}, gzip`, fresh, { ...ASK, headers: { 'accept-encoding': 'gzip' }, expect: zipped }),
      bytes(`${MUSEUM_BEARER}, bytes`, museum, {}),
      bytes(`${GATEWAY_0S}, bytes with gzip`, fresh, { 'accept-encoding': 'gzip' })
    ]
  }
}

/** Who sends the ETag that the answer before had. */
function conditional (lab: Lab, kind: string, server: MaybeServer): Contestant {
  const name = `${kind}, ${CONDITIONAL}`
  if ('missing' in server) return { name, missing: server.missing }
  return {
    name,
    async turn (seconds) {
      const { headers: { etag } } = await get(server.origin + INDEX, { authorization: await server.authorization() ?? '' })
      if (etag === undefined) throw new Error(`${name}: the answer has no ETag`)
      return [rate(name, await drive(lab, name, server, { path: INDEX, headers: { 'if-none-match': etag }, expect: notModified }, { seconds }))]
    }
  }
}

function bytes (name: string, server: MaybeServer, headers: Readonly<Record<string, string>>): Contestant {
  if ('missing' in server) return { name, missing: server.missing }
  return {
    name,
    async turn () {
      const { status, body } = await get(server.origin + INDEX, { ...headers, authorization: await server.authorization() ?? '' })
      if (status !== 200) throw new Error(`${name}: the status is ${status}`)
      return [{ name, unit: 'bytes', value: body.length }]
    }
  }
}

const zipped: Ask['expect'] = answer => answer.headers['content-encoding'] === 'gzip'
  ? indexOf(VERSIONS)({ ...answer, body: gunzipSync(answer.body) })
  : 'the answer is not compressed'
