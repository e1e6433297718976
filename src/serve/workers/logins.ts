// What has failed too often, when several workers ask? It is counted in the primary, so that
// a limit is the gateway's and not so many times that. One message and one back for what
// was wrong, and three for each slow hash; none for a token or what is remembered. What a
// worker was hashing when it ended is counted no longer: nobody learned what became of it.
import { nameOf, type Admission, type Login, type LoginLimits } from '../../limits/logins.ts'
import type { Member, Office } from './member.ts'
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
    admit: async login => await ask({ of: 'admit', login }),
    begin: async login => await ask({ of: 'begin', login }),
    async settle (login, outcome) { await ask({ of: 'settle', login, outcome }) },
    miss: async origin => await ask({ of: 'miss', origin })
  }
}

/** Answers workers. */
export function createLoginOffice (logins: LoginLimits): Office {
  /** What each of them hashes. */
  const begun = new Map<Member, Map<string, Login>>()

  async function begin (member: Member, login: Login): Promise<Admission> {
    const admission = await logins.begin(login)
    const own = begun.get(member)
    if (!admission.ok) return admission
    if (own === undefined) await logins.settle(login, 'failed') // it has ended meanwhile
    else own.set(nameOf(login), login)
    return admission
  }

  async function judge (member: Member, asked: LoginQuestion): Promise<Admission> {
    switch (asked.of) {
      case 'admit': return await logins.admit(asked.login)
      case 'begin': return await begin(member, asked.login)
      case 'miss': return await logins.miss(asked.origin)
      case 'settle':
        begun.get(member)?.delete(nameOf(asked.login))
        await logins.settle(asked.login, asked.outcome)
        return { ok: true }
    }
  }

  return {
    join (member) {
      begun.set(member, new Map())
      member.receive(message => {
        if (message.kind !== 'login') return
        const { id, asked } = message
        void judge(member, asked).then(admission => { member.send({ kind: 'login_judged', id, admission }) })
      })
    },
    leave (member) {
      const own = begun.get(member)
      begun.delete(member)
      for (const login of own?.values() ?? []) void logins.settle(login, 'failed')
    }
  }
}
