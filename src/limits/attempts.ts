// Whose password is checked next? A check is a slow hash, and two run at a time, so who
// tries many waits for those who try one: in turn by address and there by account, first
// where the last one was right, and last where it was wrong. Never by account alone: that
// would let anybody lock its owner out. What waits is bounded, and ends with its
// connection; of what is refused nothing stays. In front of it stand the limits of failed
// logins (logins.ts), which are asked when somebody comes and once more when it is their
// turn: of many who came at once some may have failed by then.
import type { Presence } from '../lib/presence.ts'
import { later, type Later } from '../lib/timers.ts'
import type { Watched } from '../lib/watched.ts'
import { createFairQueue, type Waiting } from './fair-queue.ts'
import type { Login, Refused } from './login.ts'
import type { LoginLimits } from './logins.ts'
import { originOf } from './origin.ts'
import type { Standing } from './standing.ts'

/** Who asks, from where. */
export interface Claimant {
  /** The client's IP address; undefined when it has gone before anybody asked. */
  readonly address: string | undefined
  readonly presence: Presence
  /** The address is that of the connection, and the connection that of no trusted proxy. */
  readonly isPeer?: boolean
  /** True while something that they sent is not read, behind which it is not seen that they have gone. */
  readonly isUnread?: () => boolean
}

export interface Attempt {
  /** The same for the same credentials against the same hash: they are checked once for all who ask at once. */
  readonly name: string
  /** The account that it is about, or '' for what no account can be called. */
  readonly account: string
  readonly asker: Claimant
  /** The slow hash. */
  readonly compare: () => Promise<boolean>
}

/** Seconds that no check of the hashes that are taken takes, also on a slow machine. */
const LONGEST_CHECK = 60

/** `refused`: there is no room, and nothing was checked; `gone`: nobody is there to be told. */
export type Verdict = 'right' | 'wrong' | 'refused' | 'gone' | Limited

/** Too much failed, and nothing was checked. */
export interface Limited {
  /** Seconds after which it may be tried again. */
  readonly again: number
}

export interface Attempts {
  /** What credentials are named with: a secret, because a name has a fast hash of a password in it. */
  readonly key: string
  /** Of those who wait for others to be checked. */
  readonly queue: Watched
  standing (): Standing
  /** @throws what the check throws */
  judge (attempt: Attempt): Promise<Verdict>
}

export const PASSWORD_LIMITS = {
  /** The thread pool has four threads, which also read files. */
  atOnce: 2,
  /** All who wait: some megabytes of requests. */
  total: 1_000,
  /** Of one address, which may be a company's or a proxy's that nobody named: what two threads do in some seconds. */
  ofOrigin: 256,
  /** Different passwords for one account from one address: who has more of them at once does not know it. */
  ofPair: 8,
  /** Seconds that it counts for an address whether its last password was right. */
  lately: 300,
  /** Milliseconds that somebody waits of whom it cannot be seen whether they are there. */
  unseen: 750
}

interface Check extends Pick<Attempt, 'name' | 'compare'> {
  readonly waiters: Set<PasswordWaiter>
  /** One of each origin, once it has begun; also of those who leave meanwhile: the hash is computed for them. */
  readonly asked: Map<string, Login>
  hasBegun: boolean
}

interface PasswordWaiter extends Waiting {
  readonly check: Check
  readonly login: Login
  /** Seconds of the clock. */
  readonly since: number
  /** All who check were busy when it came. */
  readonly mustWait: boolean
  settle (verdict: Verdict): void
  fail (error: unknown): void
  /** The presence need not tell any more. */
  takeBack?: () => void
}

/** A hash that may be computed, and which of those who asked it counts for. */
interface Begun {
  readonly ok: true
  readonly ticket: number
  readonly origin: string
}

/** @param clock seconds of a clock that only goes on */
export function createAttempts (
  clock: () => number,
  logins: LoginLimits,
  { atOnce, ofPair, lately, unseen, ...room } = PASSWORD_LIMITS,
  after: Later = later
): Attempts {
  /** Who waits for a check that has not begun. */
  const queue = createFairQueue<PasswordWaiter>({ room, lately, clock })
  const checks = new Map<string, Check>()
  let running = 0
  let moves = 0
  const past = { waited: 0, waitedMs: 0, refused: 0 }

  /** @returns false when there is no room for it */
  function admit (waiter: PasswordWaiter): boolean {
    const { check } = waiter
    // They wait for one hash, and nobody else can be among them who does not know the password.
    if (check.hasBegun) return check.waiters.size < room.total
    const pair = new Set([...queue.pair(waiter)].map(({ check }) => check))
    if (pair.size >= ofPair && !pair.has(check)) return false
    const out = queue.add(waiter)
    if (out !== undefined && out !== waiter) end(out, 'refused')
    return out !== waiter
  }

  function end (waiter: PasswordWaiter, verdict: Verdict): void {
    const { check, takeBack } = waiter
    takeBack?.()
    queue.remove(waiter)
    check.waiters.delete(waiter)
    if (!check.hasBegun && check.waiters.size === 0) checks.delete(check.name)
    if (verdict === 'refused') past.refused++
    waiter.settle(verdict)
  }

  /** Its turn has come. */
  function countWait ({ mustWait, since }: PasswordWaiter): void {
    if (!mustWait) return
    past.waited++
    past.waitedMs += (clock() - since) * 1000
  }

  function begin (check: Check): void {
    check.hasBegun = true
    running++
    moves++
    for (const waiter of check.waiters) {
      check.asked.set(waiter.origin, waiter.login)
      queue.remove(waiter)
      countWait(waiter)
    }
    verdictOf(check).then(
      verdict => { finish(check, waiter => { waiter.settle(verdict) }) },
      (error: unknown) => { finish(check, waiter => { waiter.fail(error) }) }
    )
  }

  async function verdictOf (check: Check): Promise<Verdict> {
    const { asked, compare } = check
    const begun = await beginOneOf(check)
    if (!begun.ok) return { again: begun.seconds }
    const isRight = await compare().catch(async (error: unknown) => {
      await logins.settle(begun.ticket, 'failed')
      throw error
    })
    const verdict = isRight ? 'right' : 'wrong'
    for (const origin of asked.keys()) queue.remember(origin, verdict)
    await logins.settle(begun.ticket, verdict)
    const others = [...asked.values()].filter(({ origin }) => origin !== begun.origin)
    if (isRight) await Promise.all(others.map(logins.letIn))
    return verdict
  }

  /**
   * The hash is the same for all, so it is computed when one of them may have it, and counts for that one. Who comes
   * while others are asked for is asked for too; when none may, who comes next is nothing of theirs.
   */
  async function beginOneOf ({ name, asked }: Check): Promise<Begun | Refused> {
    let refused: Refused | undefined
    for (const login of asked.values()) {
      const beginning = await logins.begin(login)
      if (beginning.ok) return { ...beginning, origin: login.origin }
      refused = beginning
    }
    checks.delete(name)
    return refused as Refused // there is one of them at least
  }

  function finish (check: Check, tell: (waiter: PasswordWaiter) => void): void {
    const { name, waiters } = check
    running--
    moves++
    if (checks.get(name) === check) checks.delete(name)
    for (const waiter of waiters) {
      waiter.takeBack?.()
      tell(waiter)
    }
    go()
  }

  function go (): void {
    while (running < atOnce) {
      const waiter = queue.next()
      if (waiter === undefined) return
      begin(waiter.check)
    }
  }

  return {
    key: logins.key,
    queue: {
      name: 'the passwords to be checked',
      bound: LONGEST_CHECK,
      waiting: () => queue.size(),
      moves: () => moves
    },
    standing: () => ({ length: queue.size(), ...past }),
    async judge ({ name, account, asker: { address, presence, isPeer = false, isUnread = () => false }, compare }) {
      const login = { origin: originOf(address), account, proof: name, isPeer }
      const admission = await logins.admit(login)
      if (presence.gone) return 'gone'
      if (!admission.ok) return { again: admission.seconds }
      const check = checks.get(name) ?? { name, compare, waiters: new Set(), asked: new Map(), hasBegun: false }
      return await new Promise<Verdict>((resolve, reject) => {
        const waiter: PasswordWaiter = {
          origin: login.origin,
          account,
          login,
          check,
          since: clock(),
          mustWait: running >= atOnce && !check.hasBegun,
          settle: resolve,
          fail: reject
        }
        if (!admit(waiter)) {
          past.refused++
          return resolve('refused')
        }
        checks.set(name, check)
        check.waiters.add(waiter)
        if (check.hasBegun) check.asked.set(waiter.origin, login)
        const forget = presence.onGone(() => { end(waiter, 'gone') })
        const cancel = after(unseen, () => { if (!check.hasBegun && isUnread()) end(waiter, 'refused') })
        waiter.takeBack = () => {
          forget()
          cancel()
        }
        go()
      })
    }
  }
}
