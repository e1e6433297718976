// Who is there? Users, robots and their groups, as one set that is swapped whole when a
// file changes.
import { atOnce, type Steps } from '../lib/steps.ts'
import { accountPrincipal, type Principal } from '../words/principal.ts'
import { readSubject, type AccountKind } from '../words/subject.ts'

interface Account {
  readonly name: string
  readonly groups: readonly string[]
  readonly disabled: boolean
  /** Where it is written: file, line and column. */
  readonly place: string
}

/** A user as a file has it. */
export interface UserEntry extends Account {
  /** argon2id in PHC form, or bcrypt. */
  readonly passwordHash: string
}

/** One secret of a robot; times in seconds since the epoch. */
export interface RobotSecret {
  /** SHA-256 of the secret, hex. */
  readonly digest: string
  readonly notBefore?: number
  readonly expires?: number
}

/** A robot as a file has it. */
export interface RobotEntry extends Account {
  readonly secrets: readonly RobotSecret[]
}

export interface User extends UserEntry { readonly principal: Principal }
export interface Robot extends RobotEntry { readonly principal: Principal }

export interface Accounts {
  readonly users: ReadonlyMap<string, User>
  readonly robots: ReadonlyMap<string, Robot>
  /** Robots and their secrets by the secret's SHA-256, hex. */
  readonly secrets: ReadonlyMap<string, { readonly robot: Robot, readonly secret: RobotSecret }>
  /** Every group that somebody is in. */
  readonly groups: ReadonlySet<string>
  /** A hash of the kind that most users have: an unknown user costs what checking it costs. */
  readonly commonHash: string | undefined
}

export const NO_ACCOUNTS: Accounts = {
  users: new Map(),
  robots: new Map(),
  secrets: new Map(),
  groups: new Set(),
  commonHash: undefined
}

export type Gathered =
  | { readonly ok: true, readonly accounts: Accounts }
  | { readonly ok: false, /** one line each */ readonly mistakes: readonly string[] }

/**
 * Puts entries of all files together.
 * @returns mistakes instead when two have the same name or the same secret
 */
export function gatherAccounts (users: readonly UserEntry[], robots: readonly RobotEntry[]): Gathered {
  return atOnce(gathering(users, robots))
}

/** The same in steps. */
export function * gathering (users: readonly UserEntry[], robots: readonly RobotEntry[]): Steps<Gathered> {
  const mistakes: string[] = []
  const allUsers = yield * byName('user', users, mistakes)
  const allRobots = yield * byName('robot', robots, mistakes)
  const secrets = new Map<string, { robot: Robot, secret: RobotSecret }>()
  for (const robot of allRobots.values()) {
    for (const secret of robot.secrets) {
      const other = secrets.get(secret.digest)
      if (other !== undefined) {
        mistakes.push(
          `${robot.place}: a secret of the robot ${robot.name} is one of ${other.robot.name} too, ` +
          `at ${other.robot.place}`
        )
      } else {
        secrets.set(secret.digest, { robot, secret })
      }
    }
    yield
  }
  if (mistakes.length > 0) return { ok: false, mistakes }
  const groups = new Set<string>()
  for (const entries of [users, robots]) {
    for (const entry of entries) {
      for (const group of entry.groups) groups.add(group)
      yield
    }
  }
  return {
    ok: true,
    accounts: { users: allUsers, robots: allRobots, secrets, groups, commonHash: yield * commonHash(users) }
  }
}

function * byName<E extends UserEntry | RobotEntry> (
  kind: 'user' | 'robot',
  entries: readonly E[],
  mistakes: string[]
): Steps<Map<string, E & { readonly principal: Principal }>> {
  const map = new Map<string, E & { readonly principal: Principal }>()
  for (const entry of entries) {
    const other = map.get(entry.name)
    if (other !== undefined) {
      mistakes.push(`${entry.place}: the ${kind} ${entry.name} is there already, at ${other.place}`)
    } else {
      map.set(entry.name, { ...entry, principal: accountPrincipal(kind, entry.name, entry.groups) })
    }
    yield
  }
  return map
}

/** Accounts as files have them: what `gatherAccounts` makes the same of. */
export function accountEntriesOf (
  { users, robots }: Accounts
): { readonly users: UserEntry[], readonly robots: RobotEntry[] } {
  return {
    users: [...users.values()].map(({ principal, ...entry }) => entry),
    robots: [...robots.values()].map(({ principal, ...entry }) => entry)
  }
}

/** The subject of whoever has this name, a user before a robot; undefined when nobody has it. */
export function subjectNamed ({ users, robots }: Accounts, name: string): string | undefined {
  return (users.get(name) ?? robots.get(name))?.principal.subject
}

/** True when a subject is one of these accounts, and not disabled. */
export function isActive (
  accounts: ReadonlyMap<string, Account>,
  kind: AccountKind,
  subject: string
): boolean {
  const read = readSubject(subject)
  const account = read.kind === kind ? accounts.get(read.name) : undefined
  return account !== undefined && !account.disabled
}

/** Of the parameters that most users' hashes have, one hash. */
function * commonHash (users: readonly UserEntry[]): Steps<string | undefined> {
  const counts = new Map<string, { count: number, hash: string }>()
  let most: { count: number, hash: string } | undefined
  for (const { passwordHash: hash } of users) {
    const parameters = /^\$argon2id\$[^$]*\$[^$]*|^\$2[aby]\$\d\d/.exec(hash)?.[0] ?? ''
    const entry = counts.get(parameters) ?? { count: 0, hash }
    entry.count++
    counts.set(parameters, entry)
    if (most === undefined || entry.count > most.count) most = entry
    yield
  }
  return most?.hash
}
