// For whom is one thing done, when several want the same? Whoever comes before it begins
// joins them; it ends when the last of them has gone.
import { NobodyThere, type Presence } from './presence.ts'

export interface Companion {
  readonly asker: { readonly presence: Presence }
  /** Hears that nothing is done for them any more, with NobodyThere: they have gone. */
  reject? (error: unknown): void
}

/** How many may be in it before those who have gone are looked for. */
const ROOMY = 16

export class Company<M extends Companion> {
  private list: M[]
  private roomy = ROOMY
  private begun = false
  private joined: { run (member: M): void } | undefined

  constructor (first: M) {
    this.list = [first]
  }

  /** In the order of their coming; some may have gone. */
  get members (): readonly M[] { return this.list }

  /** The first who is there; undefined is nobody. */
  get present (): M | undefined {
    return this.list.find(isThere)
  }

  /** One more; false when it has begun, which is too late for them. */
  join (member: M): boolean {
    if (this.begun) return false
    // As many may come and go as like: twice those who are there are remembered at most.
    if (this.list.length >= this.roomy) {
      this.forgetGone()
      this.roomy = Math.max(ROOMY, 2 * this.list.length)
    }
    this.list.push(member)
    this.joined?.run(member)
    return true
  }

  /** Nobody joins from now on. @returns true when there is one alone */
  begin (): boolean {
    this.begun = true
    this.joined = undefined
    if (this.list.length > 1) this.forgetGone()
    return this.list.length === 1
  }

  /** Calls for each who joins, until it begins. */
  onJoin (run: (member: M) => void): void {
    this.joined = { run }
  }

  /**
   * Calls once when all have gone, at once if they have; one of them is listened to at a time.
   * @returns takes it back
   */
  onAllGone (run: () => void): () => void {
    let takeBack = (): void => {}
    const watch = (): void => {
      const { present } = this
      if (present === undefined) run()
      else takeBack = present.asker.presence.onGone(watch)
    }
    watch()
    return () => { takeBack() }
  }

  /** Of those who have gone none is a member any more, and each is told so: something may wait for it. */
  forgetGone (): void {
    const gone = this.list.filter(member => !isThere(member))
    this.list = this.list.filter(isThere)
    for (const member of gone) member.reject?.(new NobodyThere())
  }
}

function isThere ({ asker }: Companion): boolean {
  return !asker.presence.gone
}
