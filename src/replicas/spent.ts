// Which tokens were exchanged already, at whichever replica? Redis has it, in one step of its own.
// While it does not answer nobody can say, and so nothing is exchanged. What it held before an
// epoch (scripts.ts) may be lost: a token that was issued before it counts nowhere.
import { randomUUID } from 'node:crypto'
import type { Spent, Use } from '../tokens/spent.ts'
import type { Redis } from './redis.ts'
import { SPEND } from './scripts.ts'

export function createReplicaSpent (redis: Pick<Redis, 'run'>): Spent {
  return {
    async spend ({ provider, name, seconds, age }) {
      const times = [seconds, age].map(each => `${Math.ceil(each * 1000)}`)
      try {
        return await redis.run(SPEND, [randomUUID(), provider, name, ...times]) as Use
      } catch {
        return 'unproved' // outages.ts has said why
      }
    }
  }
}
