// Who else remembers the index of a tenant that has just changed? With several workers
// and charts.index.maxAge above 0s every worker has a memory of its own. The one that took
// the push tells the primary, the primary tells the others, and the client is answered
// when all have forgotten: no read that begins after the answer is of before the push.
import type { Peers } from '../../upstream/peers.ts'
import type { Member, Office } from './member.ts'
import type { Channel, ToPrimary, ToWorker } from './messages.ts'

export function createPeers (channel: Channel<ToWorker, ToPrimary>): Peers {
  const waiting = new Map<number, () => void>()
  let last = 0
  channel.receive(message => {
    if (message.kind !== 'all_forgot') return
    waiting.get(message.id)?.()
    waiting.delete(message.id)
  })
  return {
    holds: () => true,
    async changed (tenant) {
      const id = ++last
      const answered = new Promise<void>(resolve => { waiting.set(id, resolve) })
      channel.send({ kind: 'changed', id, tenant })
      await answered
    },
    onChange (forget) {
      channel.receive(message => {
        if (message.kind !== 'forget') return
        forget(message.tenant)
        channel.send({ kind: 'forgot', id: message.id })
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

  function begin (from: Member, asked: { readonly id: number, readonly tenant: string }): void {
    const id = ++last
    const waitsFor = new Set([...members].filter(member => member !== from))
    rounds.set(id, {
      waitsFor,
      end () {
        rounds.delete(id)
        from.send({ kind: 'all_forgot', id: asked.id })
      }
    })
    for (const member of waitsFor) member.send({ kind: 'forget', id, tenant: asked.tenant })
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
