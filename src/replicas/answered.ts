// What have the registries of all replicas answered with? Redis has, for each version, which
// manifest was pushed last under its tag and which content there is of it, and each content under
// its digest, in texts that who asks understands and checks (doors/oci/kept-by-all.ts). It is no
// more than a help: nothing here fails, and what Redis does not take or lose each replica has itself.
import type { Redis, Script } from './redis.ts'
import {
  pairsOf, REGISTRY_CONTENT, REGISTRY_FORGET, REGISTRY_KEEP, REGISTRY_TAG, REGISTRY_TAG_AGAIN, REGISTRY_VERSION,
  type Pairs
} from './scripts.ts'

/** A version as all replicas know it. */
export interface AnsweredVersion {
  /** What was told of its tag last, with its number before it; '' when nothing was. */
  readonly last: string
  /** Digests of which there is content, in hex. */
  readonly has: readonly string[]
}

export interface AnsweredContent {
  readonly hex: string
  /** SHA-256 of the archive that it is of, in hex. */
  readonly archive: string
  readonly text: string
}

/** All of it is undefined when Redis does not say. */
export interface Answered {
  /** What a digest names; '' when nothing is known. @param repository org1/repo1/mychart */
  content (repository: string, hex: string): Promise<string | undefined>
  /** Keeps content, as far as there is room. */
  keep (repository: string, tag: string, content: AnsweredContent): Promise<unknown>
  version (repository: string, tag: string): Promise<AnsweredVersion | undefined>
  /**
   * Something else has the tag from now on.
   * @param after a number that is known
   * @returns its own, which is above that and every other: milliseconds since the epoch, or more; 0: there is no room
   */
  tag (repository: string, tag: string, text: string, after: number): Promise<number | undefined>
  /** Tells again what Redis has lost, with its number. @param instead of what is there, and of nothing else */
  tagAgain (repository: string, tag: string, text: string, instead: string): Promise<unknown>
  /** Forgets what is of an archive. */
  forget (repository: string, tag: string, archive: string): Promise<unknown>
}

export function createReplicaAnswered (redis: Pick<Redis, 'run'>): Answered {
  async function ask<T> (script: Script, args: readonly string[]): Promise<T | undefined> {
    return await redis.run(script, args).catch(() => undefined) as T | undefined // outages.ts has said why
  }

  return {
    content: async (repository, hex) => await ask(REGISTRY_CONTENT, [repository, hex]),
    keep: async (repository, tag, { hex, archive, text }) =>
      await ask(REGISTRY_KEEP, [repository, tag, hex, archive, text]),
    async version (repository, tag) {
      const all = await ask<Pairs>(REGISTRY_VERSION, [repository, tag])
      if (all === undefined) return undefined
      const fields = new Map(pairsOf(all))
      const last = fields.get('last') ?? ''
      fields.delete('last')
      return { last, has: [...fields.keys()] }
    },
    tag: async (repository, tag, text, after) => await ask(REGISTRY_TAG, [repository, tag, text, `${after}`]),
    tagAgain: async (repository, tag, text, instead) =>
      await ask(REGISTRY_TAG_AGAIN, [repository, tag, text, instead]),
    forget: async (repository, tag, archive) => await ask(REGISTRY_FORGET, [repository, tag, archive])
  }
}
