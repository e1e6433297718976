// What can stand still in a process, as whoever looks for it sees it.

/** A queue. */
export interface Watched {
  /** What does not move then, for a sentence: 'the passwords to be checked'. */
  readonly name: string
  /** Seconds without a move, while somebody waits, after which it stands still. */
  readonly bound: number
  /** How many wait for something of this process: who waits for the upstream, or for a client, is not counted. */
  waiting (): number
  /** How often something was begun or ended, ever. */
  moves (): number
}
