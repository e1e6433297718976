// Who is there? A neighbour who minds its own business, guests who come for the first
// time, and hostile clients with accounts and rights of their own. What is common to both
// is where a hostile push could take away the neighbour's index.
import { hashPassword } from '../../../src/identity/sources/passwords.ts'
import { newPassword } from '../../helpers/secrets.ts'

/** Tenants, at depth 2; every one of them has `good` 0.1.0. */
export const PLACES = {
  /** The neighbour's own. */
  near: 'near/shop',
  /** The hostile clients' own. */
  far: ['far/one', 'far/two'],
  /** The hostile clients push and delete here, and the neighbour reads. */
  common: 'common/shelf',
  /** Anybody may read. */
  open: 'open/web',
  /** Filled with odd names by somebody else; hostile clients may delete. */
  odd: ['odd/marks', 'odd/letters', 'odd/copies', 'odd/links']
} as const

export interface Account { readonly name: string, readonly password: string }

export interface Cast {
  readonly neighbour: Account
  /** Each of them comes seldom enough to be forgotten in between (src/identity/authenticate.ts). */
  readonly guests: readonly Account[]
  readonly hostile: readonly Account[]
  /** The text of their accounts file. */
  readonly accounts: string
  readonly policy: readonly object[]
}

const GUESTS = 120
const EVERYTHING = ['pull', 'push', 'overwrite', 'delete']

/** The hashes cost what those of `chartgate hash-password` cost. */
export async function inviteCast (): Promise<Cast> {
  const neighbour = { name: 'nora', password: newPassword() }
  const hostile = ['mallory', 'mike', 'moe'].map(name => ({ name, password: newPassword() }))
  const password = newPassword()
  const guests = Array.from({ length: GUESTS }, (_, i) => ({ name: `guest-${i}`, password }))
  const guestHash = await hashPassword(password)
  const enrol = async ({ name, password }: Account, group: string): Promise<object> => {
    return { name, groups: [group], passwordHash: await hashPassword(password) }
  }
  const users = [
    await enrol(neighbour, 'near'),
    ...guests.map(({ name }) => ({ name, groups: ['near'], passwordHash: guestHash })),
    ...await Promise.all(hostile.map(async each => await enrol(each, 'far')))
  ]
  return {
    neighbour,
    guests,
    hostile,
    accounts: JSON.stringify({ users }),
    policy: [
      { repositories: [PLACES.near], subjects: ['group:near'], actions: EVERYTHING },
      { repositories: PLACES.far, subjects: ['group:far'], actions: EVERYTHING },
      { repositories: [PLACES.common], subjects: ['group:far'], actions: EVERYTHING },
      { repositories: PLACES.odd, subjects: ['group:far'], actions: ['pull', 'delete'] },
      { repositories: [PLACES.common, ...PLACES.odd], subjects: ['group:near'], actions: ['pull'] },
      { repositories: [PLACES.open], subjects: ['anonymous'], actions: ['pull'] }
    ]
  }
}

/** The scopes of everything that the neighbour, or that a hostile client, may do. */
export function scopesOf (side: 'near' | 'far'): string[] {
  const scope = (tenant: string, actions: readonly string[]): string => {
    return `artifact-repository:${tenant}:${actions.join(',')}`
  }
  if (side === 'far') return [...PLACES.far, PLACES.common, ...PLACES.odd].map(tenant => scope(tenant, EVERYTHING))
  const read = [PLACES.common, PLACES.open, ...PLACES.odd]
  return [scope(PLACES.near, EVERYTHING), ...read.map(tenant => scope(tenant, ['pull']))]
}
