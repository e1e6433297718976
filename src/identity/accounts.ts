// Who is there? Users, robots and their groups, as one set that is swapped whole when a
// file changes. Asked by the authenticator (does this secret belong to somebody?), by the
// verifier of tokens (is the subject still there?) and by the policy's warnings.
import { accountPrincipal, type Principal } from './principal.ts'

interface Account {
  readonly name: string
  readonly groups: readonly string[]
  readonly disabled: boolean
  /** Where it is written: file and line. */
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

export const NO_ACCOUNTS: Accounts = { users: new Map(), robots: new Map(), secrets: new Map(), groups: new Set(), commonHash: undefined }

/**
 * Puts entries of all files together.
 * @returns mistakes instead, one line each, when two have the same name or the same secret
 */
export function gatherAccounts (users: readonly UserEntry[], robots: readonly RobotEntry[]): { readonly ok: true, readonly accounts: Accounts } | { readonly ok: false, readonly mistakes: readonly string[] } {
  const mistakes: string[] = []
  const secrets = new Map<string, { robot: Robot, secret: RobotSecret }>()
  const byName = <E extends UserEntry | RobotEntry>(kind: 'user' | 'robot', entries: readonly E[]): Map<string, E & { principal: Principal }> => {
    const map = new Map<string, E & { principal: Principal }>()
    for (const entry of entries) {
      const other = map.get(entry.name)
      if (other !== undefined) mistakes.push(`${entry.place}: the ${kind} ${entry.name} is there already, at ${other.place}`)
      else map.set(entry.name, { ...entry, principal: accountPrincipal(kind, entry.name, entry.groups) })
    }
    return map
  }
  const allUsers = byName('user', users)
  const allRobots = byName('robot', robots)
  for (const robot of allRobots.values()) {
    for (const secret of robot.secrets) {
      const other = secrets.get(secret.digest)
      if (other !== undefined) mistakes.push(`${robot.place}: a secret of the robot ${robot.name} is one of ${other.robot.name} too, at ${other.robot.place}`)
      else secrets.set(secret.digest, { robot, secret })
    }
  }
  if (mistakes.length > 0) return { ok: false, mistakes }
  const groups = new Set([...users, ...robots].flatMap(entry => entry.groups))
  return { ok: true, accounts: { users: allUsers, robots: allRobots, secrets, groups, commonHash: commonHash(users) } }
}

/** True when the subject of a token may still use it: its account is there and not disabled. */
export function isActive (accounts: Accounts, subject: string): boolean {
  const account = subject.startsWith('user:') ? accounts.users.get(subject.slice(5)) : subject.startsWith('robot:') ? accounts.robots.get(subject.slice(6)) : undefined
  return account !== undefined && !account.disabled
}

/** Of the parameters that most users' hashes have, one hash. */
function commonHash (users: readonly UserEntry[]): string | undefined {
  const counts = new Map<string, { count: number, hash: string }>()
  let most: { count: number, hash: string } | undefined
  for (const { passwordHash: hash } of users) {
    const parameters = /^\$argon2id\$[^$]*\$[^$]*|^\$2[aby]\$\d\d/.exec(hash)?.[0] ?? ''
    const entry = counts.get(parameters) ?? { count: 0, hash }
    entry.count++
    counts.set(parameters, entry)
    if (most === undefined || entry.count > most.count) most = entry
  }
  return most?.hash
}
