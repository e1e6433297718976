// Which tokens were exchanged already, by whichever worker? It is remembered in the primary, so
// that once is once for all of them and outlives each: one message and one back.
import type { Spent } from '../../tokens/spent.ts'
import type { Office } from './member.ts'
import type { Channel, ToPrimary, ToWorker } from './messages.ts'
import { createQuestions } from './questions.ts'

/** What the primary remembers, as a worker sees it. */
export function createSharedSpent (channel: Channel<ToWorker, ToPrimary>): Spent {
  const ask = createQuestions(channel, 'spent')
  return {
    spend: async (name, seconds) => (await ask(id => ({ kind: 'spend', id, name, seconds }))).isFirst
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
