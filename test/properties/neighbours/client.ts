// One hostile client: an account, an address, a tenant of its own, and connections.
import type { Member } from './lab.ts'
import type { Random } from './random.ts'
import { basicHeader, postOf } from './requests.ts'
import { ENDINGS, READINGS, type Ending, type Reading, type Wire } from './wire.ts'

export interface Client {
  readonly wire: Wire
  readonly account: Member
  readonly tenant: string
  /** Says what is about to be done, for whoever wants to see it again. */
  note (text: string): void
}

/** An action, as a row of the table. */
export interface Action {
  readonly name: string
  /** How often it is taken, beside the others. */
  readonly weight: number
  /** Does it once; it takes a few seconds at most. */
  run (client: Client, random: Random): Promise<void>
}

/** How a connection is read, when it ends (in milliseconds), and in what way. */
export interface Manner {
  readonly reading: Reading
  readonly wait: number
  readonly ending: Ending
}

export function chooseManner (random: Random, shortest: number, longest: number): Manner {
  return { reading: random.pick(READINGS), wait: random.between(shortest, longest), ending: random.pick(ENDINGS) }
}

/** The Authorization header of a client: mostly a token, now and then its password. */
export function credentialsOf ({ account }: Client, random: Random): string {
  return random.percent(80) ? tokenOf({ account }) : basicHeader(account.name, account.password)
}

export function tokenOf ({ account }: Pick<Client, 'account'>): string {
  return `Authorization: Bearer ${account.token}`
}

export interface UploadOptions { readonly contentType?: string, readonly ending: Ending }

/** Bytes of any answer, and the milliseconds that it is waited for. */
const SOME = 30
const PATIENCE = 2_000

/** Sends an upload on a connection of its own, and ends that after the first bytes of an answer. */
export async function upload (client: Client, target: string, body: Buffer, options: UploadOptions): Promise<void> {
  const { contentType, ending } = options
  const line = client.wire.open()
  const type = contentType === undefined ? [] : [`Content-Type: ${contentType}`]
  line.send(postOf(target, [tokenOf(client), ...type], body))
  await line.received(SOME, PATIENCE)
  line.end(ending)
}
