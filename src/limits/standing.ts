// How is a queue doing? What whoever keeps one says of it.

export interface Standing {
  /** How many wait now. */
  readonly length: number
  /** How many had to wait, ever, and came to their turn. */
  readonly waited: number
  /** How long they waited, all together; milliseconds. */
  readonly waitedMs: number
  /** How many there was no room for, or no turn in time. */
  readonly refused: number
}
