// Who else remembers the index of a tenant that has just changed, or reads it at another address?
// Of several workers each has a memory of its own (charts.index.maxAge), and asks other addresses
// by itself (upstream.urls). The one that took the push tells the primary, the primary tells the
// others, and the client is answered when all have forgotten, and read from no address that does
// not show it: no read that begins after the answer is of before the push.
import type { ToldChange } from '../../upstream/change.ts'
import type { Peers } from '../../upstream/peers.ts'
import type { Member, Office } from './member.ts'
import type { Channel, ToPrimary, ToWorker } from './messages.ts'
import { createQuestions } from './questions.ts'

export function createPeers (channel: Channel<ToWorker, ToPrimary>): Peers {
  const ask = createQuestions(channel, 'all_forgot')
  return {
    holds: () => true,
    knowsAll: () => true,
    onDoubt () {},
    async changed (change) { await ask(id => ({ kind: 'changed', id, change })) },
    onChange (hear) {
      channel.receive(message => {
        if (message.kind !== 'forget') return
        const { id, change } = message
        void hear(change.tenant, change).then(() => { channel.send({ kind: 'forgot', id }) })
      })
    }
  }
}

/**
 * Passes changes on. A worker that hangs says nothing, but it is ended (liveness.ts), and the
 * dead answer nobody from memory. So the wait always ends, and never with an old index
 * that somebody may still get.
 */
export function createRelay (): Office {
  const members = new Set<Member>()
  const rounds = new Map<number, { readonly waitsFor: Set<Member>, readonly end: () => void }>()
  let last = 0

  function begin (from: Member, asked: { readonly id: number, readonly change: ToldChange }): void {
    const id = ++last
    const waitsFor = new Set([...members].filter(member => member !== from))
    rounds.set(id, {
      waitsFor,
      end () {
        rounds.delete(id)
        from.send({ kind: 'all_forgot', id: asked.id })
      }
    })
    for (const member of waitsFor) member.send({ kind: 'forget', id, change: asked.change })
    if (waitsFor.size === 0) rounds.get(id)?.end()
  }

  function forgot (member: Member, id: number): void {
    const round = rounds.get(id)
    if (round?.waitsFor.delete(member) === true && round.waitsFor.size === 0) round.end()
  }

  return {
    join (member) {
      members.add(member)
      member.receive(message => {
        if (message.kind === 'changed') begin(member, message)
        else if (message.kind === 'forgot') forgot(member, message.id)
      })
    },
    leave (member) {
      members.delete(member)
      for (const id of rounds.keys()) forgot(member, id)
    }
  }
}
