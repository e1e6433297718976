// What has failed too often, when several workers ask? It is counted in the primary, so that
// a limit is the gateway's and not so many times that. One message and one back for what
// was wrong, and three for each slow hash; none for a token or what is remembered. What a
// worker was hashing when it ended is counted no longer: nobody learned what became of it.
import type { Beginning } from '../../limits/guesses.ts'
import type { Admission, Login } from '../../limits/login.ts'
import type { LoginLimits } from '../../limits/logins.ts'
import type { Member, Office } from './member.ts'
import type { Channel, LoginQuestion, ToPrimary, ToWorker } from './messages.ts'
import { createQuestions } from './questions.ts'

/** The primary's limits, as a worker sees them. @param key what the primary names credentials with */
export function createSharedLogins (channel: Channel<ToWorker, ToPrimary>, key: string): LoginLimits {
  const judgements = createQuestions(channel, 'login_judged')
  const beginnings = createQuestions(channel, 'login_begun')

  async function ask (asked: LoginQuestion): Promise<Admission> {
    return (await judgements(id => ({ kind: 'login', id, asked }))).admission
  }

  return {
    key,
    admit: async login => await ask({ of: 'admit', login }),
    begin: async login => (await beginnings(id => ({ kind: 'login_begins', id, login }))).beginning,
    async settle (ticket, outcome) { await ask({ of: 'settle', ticket, outcome }) },
    async letIn (login) { await ask({ of: 'let_in', login }) },
    miss: async origin => await ask({ of: 'miss', origin })
  }
}

const DONE: Admission = { ok: true }

/** Answers workers. */
export function createLoginOffice (logins: LoginLimits): Office {
  /** The tickets that each of them has. */
  const held = new Map<Member, Set<number>>()

  async function begin (member: Member, login: Login): Promise<Beginning> {
    const beginning = await logins.begin(login)
    if (!beginning.ok) return beginning
    const tickets = held.get(member)
    if (tickets === undefined) await logins.settle(beginning.ticket, 'failed') // it has ended meanwhile
    else tickets.add(beginning.ticket)
    return beginning
  }

  async function judge (member: Member, asked: LoginQuestion): Promise<Admission> {
    switch (asked.of) {
      case 'admit': return await logins.admit(asked.login)
      case 'miss': return await logins.miss(asked.origin)
      case 'let_in':
        await logins.letIn(asked.login)
        return DONE
      case 'settle':
        held.get(member)?.delete(asked.ticket)
        await logins.settle(asked.ticket, asked.outcome)
        return DONE
    }
  }

  return {
    join (member) {
      held.set(member, new Set())
      member.receive(message => {
        if (message.kind === 'login_begins') {
          void begin(member, message.login)
            .then(beginning => { member.send({ kind: 'login_begun', id: message.id, beginning }) })
        }
        if (message.kind === 'login') {
          void judge(member, message.asked)
            .then(admission => { member.send({ kind: 'login_judged', id: message.id, admission }) })
        }
      })
    },
    leave (member) {
      const tickets = held.get(member) ?? []
      held.delete(member)
      for (const ticket of tickets) void logins.settle(ticket, 'failed')
    }
  }
}
