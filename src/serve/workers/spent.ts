// Which tokens were exchanged already, by whichever worker? The primary knows, or asks Redis, so
// that once is once for all of them and outlives each: one message and one back.
import type { Spent } from '../../tokens/spent.ts'
import type { Office } from './member.ts'
import type { Channel, ToPrimary, ToWorker } from './messages.ts'
import { createQuestions } from './questions.ts'

/** What the primary knows, as a worker sees it. */
export function createSharedSpent (channel: Channel<ToWorker, ToPrimary>): Spent {
  const ask = createQuestions(channel, 'spent')
  return {
    spend: async shown => (await ask(id => ({ kind: 'spend', id, shown }))).use
  }
}

/** Answers workers. */
export function createSpentOffice (spent: Spent): Office {
  return {
    join (member) {
      member.receive(message => {
        if (message.kind !== 'spend') return
        const { id, shown } = message
        void spent.spend(shown).then(use => { member.send({ kind: 'spent', id, use }) })
      })
    },
    leave () {}
  }
}
