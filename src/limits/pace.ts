// Does whoever asked for a download take it? Seen from what they were given: the kernel
// takes a few MiB for them at once, and from then on only as they read, in steps of up to
// a MiB or so. A client that takes nothing at all and one that is slow look the same until
// the first step; with each step a client earns the time that a slow one needs for it.

/** Bytes per millisecond that somebody who reads is thought to read at least. */
const SLOWEST = 16
/** Milliseconds that one can earn in advance. */
const MOST_EARNED = 30_000
/** Milliseconds that nothing is taken after which the buffers on the way were full. */
const FULL = 1_000

/** All times are milliseconds of a clock that only goes on. */
export class Pace {
  /** Since when nothing is taken. */
  private heldSince: number | undefined
  /** The buffers on the way have been full, so that what is taken now is read. */
  private reads = false
  private earnedUntil = -Infinity

  /** More is there than is taken now. */
  holdUp (now: number): void {
    this.heldSince ??= now
  }

  /** Something was taken, and there is room again. */
  goOn (now: number): void {
    if (this.heldSince !== undefined && now - this.heldSince >= FULL) this.reads = true
    this.heldSince = undefined
  }

  /** So many bytes were given. */
  give (bytes: number, now: number): void {
    if (this.reads) this.earnedUntil = Math.min(Math.max(this.earnedUntil, now) + bytes / SLOWEST, now + MOST_EARNED)
  }

  /** Milliseconds that nothing has been taken without a reason. */
  stalled (now: number): number {
    return this.heldSince === undefined ? 0 : Math.max(0, now - Math.max(this.heldSince, this.earnedUntil))
  }
}
