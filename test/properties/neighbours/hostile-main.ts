// The hostile clients, all of them in a process of their own, which stands back for the
// gateway: each takes one action after the other, in an order that its seed decides.
import { setMaxListeners } from 'node:events'
import { ACTIONS } from './actions/actions.ts'
import { PLACES } from './cast.ts'
import { serveCrew } from './crew.ts'
import type { Member } from './lab.ts'
import { createRandom, pickByWeight } from './random.ts'
import { createWire } from './wire.ts'

export interface HostileTask {
  readonly port: number
  readonly seed: number
  /** How many clients there are. */
  readonly clients: number
  readonly accounts: readonly Member[]
  /** Names of actions; empty: all. */
  readonly only: readonly string[]
}

/** What a client is about to do. */
export interface Note {
  readonly at: number
  readonly client: number
  readonly action: string
  readonly text: string
}

/** Milliseconds between two actions of a client, at most. */
const REST = 200

serveCrew<HostileTask, Note>(async ({ port, seed, clients, accounts, only }, { tell, ending }) => {
  const end = new AbortController()
  setMaxListeners(0, end.signal)
  void ending.then(() => { end.abort() })
  const actions = ACTIONS.filter(({ name }) => only.length === 0 || only.includes(name))

  async function live (number: number): Promise<void> {
    const random = createRandom(seed * 1009 + number)
    const wire = createWire(port, `127.0.1.${number}`, random, end.signal)
    const account = accounts[number % accounts.length] as Member
    const tenant = PLACES.far[number % PLACES.far.length] as string
    while (!end.signal.aborted) {
      const { name, run } = pickByWeight(actions, random)
      const note = (text: string): void => { tell({ at: Date.now(), client: number, action: name, text }) }
      await run({ wire, account, tenant, note }, random)
      await wire.pause(random.below(REST))
    }
    wire.endAll()
  }

  await Promise.all(Array.from({ length: clients }, async (_, i) => { await live(i + 1) }))
})
