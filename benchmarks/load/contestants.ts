// How does somebody who answers HTTP take a turn? The answer is checked, the load
// generator asks for the turn's seconds, what it counted is checked, and the answer again.
import type { Contestant, Figure } from '../scenario.ts'
import type { Lab } from '../lab/lab.ts'
import type { MaybeServer, Server } from '../lab/server.ts'
import { get, type Answer } from './answer.ts'
import { faultOf, type Expectation } from './expectations.ts'
import type { LoadOptions } from './load.ts'
import type { Load } from './outputs.ts'

export interface Ask {
  readonly path: string
  readonly expect: Expectation
  /** Besides Authorization. */
  readonly headers?: Readonly<Record<string, string>>
  /** Default: the server's. */
  readonly authorization?: string
  /** Default: 32. */
  readonly connections?: number
}

export const CONNECTIONS = 32

/** What a turn says; by default the rate. */
export type Read = (name: string, load: Load) => Figure

export const rate: Read = (name, { requests, seconds }) => ({ name, unit: '/s', value: requests / seconds })

export const throughput: Read = (name, { bytes, seconds }) => ({ name, unit: 'MiB/s', value: bytes / seconds / 1024 / 1024 })

/** Of one connection; without the middle request the mean one, which is the rate turned round. */
export const latency: Read = (name, { p50, requests, seconds }) => ({ name, unit: 'ms', value: p50 ?? 1000 * seconds / requests })

/** @returns who asks this server, or why it is missing */
export function asking (lab: Lab, name: string, server: MaybeServer, ask: Ask, read: Read = rate): Contestant {
  if ('missing' in server) return { name, missing: server.missing }
  return { name, turn: async seconds => [read(name, await drive(lab, name, server, ask, { seconds }))] }
}

/** One turn; rejects when any answer was not as expected. */
export async function drive (lab: Lab, name: string, server: Server, ask: Ask, how: Pick<LoadOptions, 'seconds' | 'tokens'>): Promise<Load> {
  const { path, expect, connections = CONNECTIONS } = ask
  const authorization = ask.authorization ?? await server.authorization()
  const headers = { ...ask.headers, ...(authorization === undefined ? {} : { authorization }) }
  const url = server.origin + path
  const answer = await checked(name, url, headers, expect)
  const { authorization: _, ...others } = headers
  const load = await lab.load.run({ url, headers: how.tokens === undefined ? headers : others, connections, ...how })
  const fault = faultOf(load, answer, connections)
  if (fault !== undefined) throw new Error(`${name}: ${fault}`)
  await checked(name, url, headers, expect)
  return load
}

async function checked (name: string, url: string, headers: Readonly<Record<string, string>>, expect: Expectation): Promise<Answer> {
  const answer = await get(url, headers)
  const complaint = expect(answer)
  if (complaint !== undefined) throw new Error(`${name}: ${complaint}`)
  return answer
}
