// What does the neighbour do all the time, and what may it expect? A table.
import { ask, basic, type Answer, type Ask } from './ask.ts'
import { PLACES, type Account } from './cast.ts'
import type { Member } from './lab.ts'
import { chart, FILES } from './shelf.ts'

/** What the neighbour's process is told. */
export interface ErrandTask {
  readonly port: number
  /** The address that it comes from. */
  readonly from: string
  readonly neighbour: Member
  readonly guests: readonly Account[]
  /** Milliseconds after which an answer is given up. */
  readonly limit: number
}

export interface Errand {
  readonly name: string
  readonly weight: number
  /** Milliseconds in which it has to be done. */
  readonly within: number
  /** @param n counts all errands */
  run (task: ErrandTask, n: number): Promise<Answer>
  /** What is wrong with the answer; undefined when it is as it should be. */
  fault (answer: Answer): string | undefined
}

const SECOND = 1_000
/** Of a slow hash, which has to wait for its turn (issue: a good credential from another address). */
const LOGIN = 2_000
/** Of a write, which waits for more than a turn: its body, the archive, the lock, and the disk. */
const WRITE = 2_000
/** Who waits for a connection to the repository waits 5 s at most. */
const LARGE = 6_000
const TOKEN = `/oauth/token?scope=${encodeURIComponent(`artifact-repository:${PLACES.near}:pull`)}`

export const ERRANDS: readonly Errand[] = [
  { name: 'own index', weight: 8, within: SECOND, run: indexOf(() => PLACES.near), fault: noIndex },
  { name: 'common index', weight: 3, within: SECOND, run: indexOf(() => PLACES.common), fault: noIndex },
  { name: 'odd index', weight: 3, within: SECOND, run: indexOf(oddPlace), fault: noIndex },
  { name: 'open index', weight: 2, within: SECOND, run: openIndex, fault: noIndex },
  { name: 'chart file', weight: 2, within: SECOND, run: file(FILES.small), fault: isNot(200) },
  { name: 'streamed file', weight: 1, within: LARGE, run: file(FILES.middle), fault: neitherFileNorLater },
  { name: 'first login', weight: 1, within: LOGIN, run: firstLogin(`/${PLACES.near}/index.yaml`), fault: noIndex },
  { name: 'first token', weight: 1, within: LOGIN, run: firstLogin(TOKEN), fault: isNot(200) },
  { name: 'push and delete', weight: 1, within: WRITE, run: pushAndDelete, fault: isNot(200) }
]

type Run = Errand['run']

async function send ({ port, from, limit }: ErrandTask, more: Omit<Ask, 'port' | 'from' | 'limit'>): Promise<Answer> {
  return await ask({ port, from, limit, ...more })
}

function proofOf ({ neighbour }: ErrandTask): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${neighbour.token}` }
}

/** One after the other. */
function oddPlace (n: number): string {
  return PLACES.odd[n % PLACES.odd.length] as string
}

function indexOf (tenant: (n: number) => string): Run {
  return async (task, n) => await send(task, { path: `/${tenant(n)}/index.yaml`, headers: proofOf(task) })
}

function file (name: string): Run {
  return async task => await send(task, { path: `/${PLACES.near}/charts/${name}`, headers: proofOf(task) })
}

async function openIndex (task: ErrandTask): Promise<Answer> {
  return await send(task, { path: `/${PLACES.open}/index.yaml` })
}

/** By another guest each time. */
function firstLogin (path: string): Run {
  return async (task, n) => {
    const guest = task.guests[n % task.guests.length] as Account
    return await send(task, { path, headers: { authorization: basic(guest) } })
  }
}

/** What it answers for both: the first that fails, or the delete; the longer time. */
async function pushAndDelete (task: ErrandTask, n: number): Promise<Answer> {
  const [headers, version, path] = [proofOf(task), `1.0.${n}`, `/api/${PLACES.near}/charts`]
  const pushed = await send(task, { method: 'POST', path, headers, body: chart('mine', version) })
  if (pushed.status !== 201) return pushed
  const deleted = await send(task, { method: 'DELETE', path: `${path}/mine/${version}`, headers })
  return { ...deleted, ms: Math.max(pushed.ms, deleted.ms) }
}

function isNot (expected: number): Errand['fault'] {
  return ({ status, body }) => {
    return status === expected ? undefined : `${status === 0 ? 'no answer' : status}: ${body.slice(0, 200)}`
  }
}

/** Hostile clients leave the good chart alone. */
function noIndex (answer: Answer): string | undefined {
  const fault = isNot(200)(answer)
  if (fault !== undefined) return fault
  return answer.body.includes(`charts/${FILES.small}`) ? undefined : 'the good chart is not in the index'
}

/** A file that streams has no part of the repository's connections to itself. */
function neitherFileNorLater (answer: Answer): string | undefined {
  return answer.status === 503 && answer.headers['retry-after'] !== undefined ? undefined : isNot(200)(answer)
}
