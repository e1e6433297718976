// Token requests, and passwords that are wrong: of accounts that are there and that are
// not, the neighbour's own among them, from one address and from many.
import { scopesOf } from '../cast.ts'
import { chooseManner, type Action, type Client } from '../client.ts'
import type { Random } from '../random.ts'
import { basicHeader, headOf, postOf } from '../requests.ts'
import { ENDINGS, READINGS } from '../wire.ts'

/** Whose passwords are guessed. */
const VICTIMS = ['nora', 'guest-1', 'mallory', 'nobody']

async function tokenRequests (client: Client, random: Random): Promise<void> {
  const count = random.pick([1, 5, 50])
  const [reading, ending] = [random.pick(READINGS), random.pick(ENDINGS)]
  client.note(`${count} token requests on one connection, reads ${reading}, then ${ending}`)
  const request = random.pick(tokenRequestsOf(client))
  const line = client.wire.open({ reading })
  line.send(Buffer.concat(Array.from({ length: count }, () => request)))
  await line.received(count * 100, 1000)
  line.end(ending)
}

/** As Docker's clients ask, as OAuth's do, with too many scopes, and with nothing. */
function tokenRequestsOf ({ account: { name, password } }: Client): Buffer[] {
  const scope = scopesOf('far').join(' ')
  const headers = [basicHeader(name, password)]
  const form = new URLSearchParams({ grant_type: 'password', username: name, password, scope })
  return [
    Buffer.from(headOf({ target: `/oauth/token?scope=${encodeURIComponent(scope)}`, headers })),
    postOf('/oauth/token', ['Content-Type: application/x-www-form-urlencoded'], Buffer.from(form.toString())),
    Buffer.from(headOf({ target: `/oauth/token?${'scope=a:b:c&'.repeat(40)}`, headers })),
    Buffer.from(headOf({ target: '/oauth/token' }))
  ]
}

async function wrongPasswords (client: Client, random: Random): Promise<void> {
  const [depth, victim] = [random.pick([1, 10, 100, 1000, 3000]), random.pick(VICTIMS)]
  const { reading, wait, ending } = chooseManner(random, 10, 1500)
  client.note(`${depth} wrong passwords for ${victim} on one connection, after ${wait} ms ${ending}`)
  const line = client.wire.open({ reading })
  line.send(guesses(depth, victim, client, random))
  await client.wire.pause(wait)
  line.end(ending)
}

async function wrongPasswordsFromEverywhere (client: Client, random: Random): Promise<void> {
  const [addresses, depth, victim] = [random.pick([10, 100]), random.pick([1, 3, 20]), random.pick(VICTIMS)]
  const { wait, ending } = chooseManner(random, 100, 3000)
  client.note(`${depth} wrong passwords for ${victim} from each of ${addresses} addresses, after ${wait} ms ${ending}`)
  const lines = Array.from({ length: addresses }, (_, i) => client.wire.open({ from: `127.0.2.${i + 1}` }))
  for (const line of lines) line.send(guesses(depth, victim, client, random))
  await client.wire.pause(wait)
  for (const line of lines) line.end(ending)
}

/** Never the same one twice: the same credentials at once cost one hash. */
function guesses (count: number, victim: string, { tenant }: Client, random: Random): string {
  const some = (): number => random.below(2 ** 31)
  const guess = (): string => {
    const password = `wrong-${some()}-${some()}`
    return headOf({ target: `/${tenant}/index.yaml`, headers: [basicHeader(victim, password)] })
  }
  return Array.from({ length: count }, guess).join('')
}

export const LOGINS: readonly Action[] = [
  { name: 'token-requests', weight: 4, run: tokenRequests },
  { name: 'wrong-passwords', weight: 3, run: wrongPasswords },
  { name: 'wrong-passwords-from-everywhere', weight: 2, run: wrongPasswordsFromEverywhere }
]
