// How does a worker ask its primary something? With a message that has a number, which the one
// answer to it has too: many questions are on their way at once, and each gets its own answer.
import type { Channel, ToPrimary, ToWorker } from './messages.ts'

/** What an answer to a question can be. */
type Answer = Extract<ToWorker, { readonly id: number }>
type AnswerOf<K extends Answer['kind']> = Extract<Answer, { readonly kind: K }>

/**
 * Asks, and resolves with the answer, which has the number of the question. It never comes when
 * the primary is gone: then this process ends too.
 * @param ask makes the message, of the number that it has
 */
export type Questions<K extends Answer['kind']> = (ask: (id: number) => ToPrimary) => Promise<AnswerOf<K>>

/** @param kind what all answers are, and no other message */
export function createQuestions<K extends Answer['kind']> (
  channel: Channel<ToWorker, ToPrimary>,
  kind: K
): Questions<K> {
  const waiting = new Map<number, (answer: AnswerOf<K>) => void>()
  let last = 0
  channel.receive(message => {
    if (message.kind !== kind) return
    const answer = message as AnswerOf<K>
    waiting.get(answer.id)?.(answer)
    waiting.delete(answer.id)
  })
  return async ask => {
    const id = ++last
    return await new Promise(resolve => {
      waiting.set(id, resolve)
      channel.send(ask(id))
    })
  }
}
