// What have all replicas answered with? Each keeps its own (kept.ts), and tells it to Redis before
// it is answered; what one does not have it asks for there, checks as it checks its own files, and
// keeps. Which pushed manifest has a tag Redis says, each time: the number of the last push goes
// on only, and who has a newer one, of a time without Redis, tells it.
import { isUtf8 } from 'node:buffer'
import { putBounded } from '../../lib/put-bounded.ts'
import type { Answered } from '../../replicas/answered.ts'
import type { Kept, KeptVersionOf } from './kept.ts'
import {
  fileOf, readContent, readVersion, type KeptContent, type KeptVersion, type TaggedVersion
} from './kept-file.ts'
import { tagOfVersion, type OciRepository } from './names.ts'
import { namedIn } from './read-manifest.ts'

type Place = Pick<OciRepository, 'name'>

/** Bytes of content that Redis is told at most; what is larger each replica has for itself. */
const MOST_TOLD = 64 * 1024
/** Versions of which it is remembered what Redis has. */
const MOST_REMEMBERED = 4_000

/** What was told of a tag last. */
interface Last {
  /** What Redis has, as it is there. */
  readonly text: string
  /** -1: nothing was told. */
  readonly number: number
  /** Undefined: nothing that was pushed has the tag. */
  readonly kept: TaggedVersion | undefined
}

/** @param own what this replica keeps for itself */
export function createKeptByAll (own: Kept, answered: Answered): Kept {
  /** Digests of which Redis has content, by their version. */
  const there = new Map<string, Set<string>>()
  const tagOf = (version: string): string => tagOfVersion(version) as string

  async function tell (repository: Place, hex: string, content: KeptContent): Promise<void> {
    const { version, archive, bytes, kind } = content
    // Where an archive is the chart repository says; what is no text would not come back as it is.
    if (kind === 'archive' || bytes.length > MOST_TOLD || !isUtf8(bytes)) return
    const key = `${repository.name}:${tagOf(version)}`
    const has = there.get(key) ?? new Set()
    if (has.has(hex)) return
    const text = fileOf(content).toString('utf8')
    if (await answered.keep(repository.name, tagOf(version), { hex, archive, text }) === undefined) return
    putBounded(there, key, has.add(hex), MOST_REMEMBERED)
  }

  async function lastOf (repository: Place, version: string): Promise<Last | undefined> {
    const tag = tagOf(version)
    const said = await answered.version(repository.name, tag)
    if (said === undefined) return undefined
    putBounded(there, `${repository.name}:${tag}`, new Set(said.has), MOST_REMEMBERED)
    return readLast(said.last)
  }

  /** Redis has lost it, or was away when it was pushed. */
  async function tellAgain (repository: Place, version: string, kept: TaggedVersion, { text }: Last): Promise<void> {
    const { taggedAt = 0, tagged, ...rest } = kept
    const manifest = await own.find(repository, tagged)
    const named = manifest === undefined ? undefined : namedIn(manifest.bytes)
    if (named === undefined) return
    for (const hex of [tagged, ...named]) {
      const content = await own.find(repository, hex)
      if (content !== undefined) await tell(repository, hex, content)
    }
    const again = `${taggedAt} ${JSON.stringify({ ...rest, tagged })}`
    await answered.tagAgain(repository.name, tagOf(version), again, text)
  }

  /** Another replica knows better; what was of another archive is not needed any more. */
  async function adopt (
    repository: Place,
    version: string,
    ours: KeptVersion | undefined,
    theirs: TaggedVersion
  ): Promise<void> {
    if (ours?.archive === theirs.archive && ours.taggedAt === theirs.taggedAt && ours.tagged === theirs.tagged) return
    await own.keepVersion(repository, version, theirs)
    if (ours !== undefined && ours.archive !== theirs.archive) await own.forget(repository, version, theirs.archive)
  }

  /** @param archive that is stored; undefined: whichever it is */
  async function choose (
    repository: Place,
    version: string,
    { ours, last, archive }: { ours: KeptVersion | undefined, last: Last | undefined, archive: string | undefined }
  ): Promise<KeptVersion | undefined> {
    if (last === undefined) return ours
    const isOf = <V extends KeptVersion>(each: V | undefined): each is V =>
      each !== undefined && (archive === undefined || each.archive === archive)
    if (isOf(ours) && (ours.taggedAt ?? 0) > last.number) {
      if (isTagged(ours)) await tellAgain(repository, version, ours, last)
      return ours
    }
    if (isOf(last.kept)) {
      // How large an archive is that it has had itself, this replica knows.
      const theirs = ours?.archive === last.kept.archive ? { ...last.kept, size: ours.size } : last.kept
      if (archive !== undefined) await adopt(repository, version, ours, theirs)
      return theirs
    }
    return withoutTag(ours)
  }

  function beginVersion (repository: Place, version: string): KeptVersionOf {
    const [ours, last] = [own.beginVersion(repository, version), lastOf(repository, version)]
    return async archive => await choose(repository, version, { ours: await ours(), last: await last, archive })
  }

  return {
    beginVersion,
    learnVersion: own.learnVersion,
    version: async (repository, version, archive) => await beginVersion(repository, version)(archive),
    async find (repository, hex, archive) {
      const ours = await own.find(repository, hex, archive)
      if (ours !== undefined && (archive === undefined || ours.archive === archive)) return ours
      const text = await answered.content(repository.name, hex)
      const theirs = text === undefined ? undefined : readContent(Buffer.from(text), hex)
      if (theirs === undefined || !isSound(theirs)) return ours
      if (archive !== undefined && theirs.archive !== archive) return ours
      await own.keep(repository, [[hex, theirs]])
      return theirs
    },
    async keep (repository, contents, alone = async work => { await work() }) {
      let isKept = true
      await own.keep(repository, contents, async (work, isNeeded) => {
        isKept = false
        await alone(async () => {
          await work()
          isKept = true
        }, isNeeded)
      })
      if (!isKept) return // it is not stored any more, or who kept it meanwhile tells it
      for (const [hex, content] of contents) await tell(repository, hex, content)
    },
    async keepVersion (repository, version, kept) {
      const known = (await own.version(repository, version))?.taggedAt ?? 0
      const number = await answered.tag(repository.name, tagOf(version), JSON.stringify(kept), known)
      // Without Redis the clock of this machine has to do.
      const taggedAt = number === undefined || number === 0 ? Math.max(Date.now(), known + 1) : number
      await own.keepVersion(repository, version, { ...kept, taggedAt })
    },
    async forget (repository, version, stored) {
      const ours = await own.version(repository, version)
      await own.forget(repository, version, stored)
      // Who only learns that it is another one now leaves it to who made it so.
      if (stored !== undefined && ours?.archive === stored) return
      const last = await lastOf(repository, version)
      there.delete(`${repository.name}:${tagOf(version)}`)
      for (const archive of new Set([ours?.archive, last?.kept?.archive])) {
        if (archive !== undefined && archive !== stored) await answered.forget(repository.name, tagOf(version), archive)
      }
    }
  }
}

/** Can it be worked with? An archive has no bytes by which that could be seen. */
function isSound ({ kind, bytes }: KeptContent): boolean {
  return kind !== 'archive' && (kind !== 'manifest' || namedIn(bytes) !== undefined)
}

function withoutTag (kept: KeptVersion | undefined): KeptVersion | undefined {
  if (kept === undefined) return undefined
  const { tagged, taggedAt, ...rest } = kept
  return rest
}

const LAST = /^(\d{1,15}) (.*)$/

function readLast (text: string): Last {
  const [, number, json = ''] = LAST.exec(text) ?? []
  if (number === undefined) return { text, number: -1, kept: undefined }
  const taggedAt = Number(number)
  const kept = readVersion(Buffer.from(json))
  return { text, number: taggedAt, kept: isTagged(kept) ? { ...kept, taggedAt } : undefined }
}

function isTagged (kept: KeptVersion | undefined): kept is TaggedVersion {
  return kept?.tagged !== undefined
}
