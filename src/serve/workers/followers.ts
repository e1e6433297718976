// Which further addresses of the chart repository follow the first? Each worker finds that out
// with the changes that it makes, and the primary, which answers the probes, hears of it.
import type { AddressState } from '../addresses.ts'
import type { Member, Office } from './member.ts'

export interface FollowersOffice extends Office {
  /** The best that a worker knows of each. */
  states (): readonly AddressState[]
  /** Where this process has no workers, it knows that itself. */
  ask (states: () => readonly AddressState[]): void
}

/** From the best to what says least. */
const ORDER: readonly AddressState[] = ['follows', 'untold', 'behind', 'unproven']

/** @param count how many further addresses there are */
export function createFollowersOffice (count: number): FollowersOffice {
  const said = new Map<Member, readonly AddressState[]>()
  let own: (() => readonly AddressState[]) | undefined
  return {
    join (member) {
      member.receive(message => {
        if (message.kind === 'followers') said.set(member, message.states)
      })
    },
    leave (member) { said.delete(member) },
    ask (states) { own = states },
    states: () => own?.() ?? Array.from({ length: count }, (_, i) =>
      ORDER.find(state => [...said.values()].some(states => states[i] === state)) ?? 'unproven')
  }
}
