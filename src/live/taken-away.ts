// What is left of accounts when nothing may be added to them? Asked while a file cannot be
// used: what the others take away counts at once, and what they add waits until all of them
// can be read. Nobody has more afterwards than before, and none of two files more than both.
import type { Steps } from '../lib/steps.ts'
import type { Accounts, RobotEntry, RobotSecret, UserEntry } from '../identity/accounts.ts'

export interface Entries {
  readonly users: readonly UserEntry[]
  readonly robots: readonly RobotEntry[]
}

export interface Left extends Entries {
  /** False when nothing was taken away. */
  readonly less: boolean
}

/**
 * @param accounts what is in force
 * @param said everything that files say which can be used
 * @param isUnknown true for a file that cannot be used: whom it held stays, unless another file says otherwise
 */
export function * takingAway (accounts: Accounts, said: Entries, isUnknown: IsUnknown): Steps<Left> {
  const users = yield * leaving([...accounts.users.values()], said.users, isUnknown, userLeft)
  const robots = yield * leaving([...accounts.robots.values()], said.robots, isUnknown, robotLeft)
  return { users: users.left, robots: robots.left, less: users.less || robots.less }
}

type IsUnknown = (file: string) => boolean

/** @param both what is left of one when an entry of the same name says so; the same object when nothing is taken */
function * leaving<E extends UserEntry | RobotEntry> (
  inForce: readonly E[], said: readonly E[], isUnknown: IsUnknown, both: (entry: E, said: E) => E
): Steps<{ left: E[], less: boolean }> {
  const byName = new Map<string, E[]>()
  for (const entry of said) {
    const others = byName.get(entry.name)
    if (others === undefined) byName.set(entry.name, [entry])
    else others.push(entry)
    yield
  }
  const left: E[] = []
  let less = false
  for (const entry of inForce) {
    const entries = byName.get(entry.name)
    const stays = entries === undefined
      ? (isUnknown(accountFileOf(entry)) ? entry : undefined)
      : entries.reduce(both, entry)
    if (stays !== undefined) left.push(stays)
    less ||= stays !== entry
    yield
  }
  return { left, less }
}

/** Without line and column. */
function accountFileOf ({ place }: Pick<UserEntry, 'place'>): string {
  return place.replace(/(?::\d+){1,2}$/, '')
}

function userLeft (user: UserEntry, said: UserEntry): UserEntry {
  const groups = commonGroups(user, said)
  const passwordHash = user.passwordHash === said.passwordHash ? user.passwordHash : hashOfNothing(user.passwordHash)
  const disabled = user.disabled || said.disabled
  const same = groups === user.groups && passwordHash === user.passwordHash && disabled === user.disabled
  return same ? user : { ...user, groups, passwordHash, disabled }
}

function robotLeft (robot: RobotEntry, said: RobotEntry): RobotEntry {
  const groups = commonGroups(robot, said)
  const secrets = robot.secrets.flatMap(secret => {
    const other = said.secrets.find(({ digest }) => digest === secret.digest)
    return other === undefined ? [] : [shorter(secret, other)]
  })
  const disabled = robot.disabled || said.disabled
  const sameSecrets = secrets.length === robot.secrets.length &&
    secrets.every((secret, i) => secret === robot.secrets[i])
  const same = groups === robot.groups && disabled === robot.disabled && sameSecrets
  return same ? robot : { ...robot, groups, secrets, disabled }
}

function commonGroups ({ groups }: Pick<UserEntry, 'groups'>, said: Pick<UserEntry, 'groups'>): readonly string[] {
  const isSaid = (group: string): boolean => said.groups.includes(group)
  return groups.every(isSaid) ? groups : groups.filter(isSaid)
}

/** The time that is in both. */
function shorter (secret: RobotSecret, { notBefore = -Infinity, expires = Infinity }: RobotSecret): RobotSecret {
  const [begins, ends] = [secret.notBefore ?? -Infinity, secret.expires ?? Infinity]
  if (begins >= notBefore && ends <= expires) return secret
  const [later, sooner] = [Math.max(begins, notBefore), Math.min(ends, expires)]
  return {
    digest: secret.digest,
    ...(later === -Infinity ? {} : { notBefore: later }),
    ...(sooner === Infinity ? {} : { expires: sooner })
  }
}

/**
 * A hash that no password has, of the same kind, and as slow to check: the old password
 * counts no longer, and the new one not yet. (Its last part, the digest, is all zero.)
 */
export function hashOfNothing (hash: string): string {
  if (!hash.startsWith('$argon2')) return hash.slice(0, -BCRYPT_DIGEST) + '.'.repeat(BCRYPT_DIGEST)
  const digestAt = hash.lastIndexOf('$') + 1
  return hash.slice(0, digestAt) + 'A'.repeat(hash.length - digestAt)
}

/** Letters. */
const BCRYPT_DIGEST = 31
