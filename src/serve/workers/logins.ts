// What has failed too often, when several workers ask? It is counted in the primary, so that
// a limit is the gateway's and not so many times that. One message and one back for what
// was wrong, and three for each slow hash; none for a token or what is remembered.
import type { Admission, LoginLimits } from '../../limits/logins.ts'
import type { Office } from './member.ts'
import type { Channel, LoginQuestion, ToPrimary, ToWorker } from './messages.ts'
import { createQuestions } from './questions.ts'

/** The primary's limits, as a worker sees them. @param key what the primary names credentials with */
export function createSharedLogins (channel: Channel<ToWorker, ToPrimary>, key: string): LoginLimits {
  const questions = createQuestions(channel, 'login_judged')

  async function ask (asked: LoginQuestion): Promise<Admission> {
    return (await questions(id => ({ kind: 'login', id, asked }))).admission
  }

  return {
    key,
    admit: async (login, begins) => await ask({ of: 'admit', login, begins }),
    async settle (login, isRight) { await ask({ of: 'settle', login, isRight }) },
    miss: async origin => await ask({ of: 'miss', origin })
  }
}

/** Answers workers. */
export function createLoginOffice (logins: LoginLimits): Office {
  async function judge (asked: LoginQuestion): Promise<Admission> {
    switch (asked.of) {
      case 'admit': return await logins.admit(asked.login, asked.begins)
      case 'miss': return await logins.miss(asked.origin)
      case 'settle':
        await logins.settle(asked.login, asked.isRight)
        return { ok: true }
    }
  }

  return {
    join (member) {
      member.receive(message => {
        if (message.kind !== 'login') return
        const { id, asked } = message
        void judge(asked).then(admission => { member.send({ kind: 'login_judged', id, admission }) })
      })
    },
    leave () {}
  }
}
