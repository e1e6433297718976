// Which tokens were exchanged already, by whichever worker? It is remembered in the primary, so
// that once is once for all of them and outlives each: one message and one back.
import type { Spent } from '../../tokens/spent.ts'
import type { Office } from './member.ts'
import type { Channel, ToPrimary, ToWorker } from './messages.ts'

/** What the primary remembers, as a worker sees it. */
export function createSharedSpent (channel: Channel<ToWorker, ToPrimary>): Spent {
  const waiting = new Map<number, (isFirst: boolean) => void>()
  let last = 0
  channel.receive(message => {
    if (message.kind !== 'spent') return
    waiting.get(message.id)?.(message.isFirst)
    waiting.delete(message.id)
  })
  return {
    async spend (name, seconds) {
      const id = ++last
      const answer = new Promise<boolean>(resolve => { waiting.set(id, resolve) })
      channel.send({ kind: 'spend', id, name, seconds })
      return await answer
    }
  }
}

/** Answers workers. */
export function createSpentOffice (spent: Spent): Office {
  return {
    join (member) {
      member.receive(message => {
        if (message.kind !== 'spend') return
        const { id, name, seconds } = message
        void spent.spend(name, seconds).then(isFirst => { member.send({ kind: 'spent', id, isFirst }) })
      })
    },
    leave () {}
  }
}
