// What is a scenario? One question about speed: who is compared, how each of them takes
// its turn, and the goals. Every file in scenarios/ is one; run.ts asks nothing else.
import type { Lab } from './lab/lab.ts'

export type Unit = '/s' | 'MiB/s' | 's' | 'ms' | 'µs' | 'MiB' | 'bytes' | 'reads' | 'pushes'

/** One number of one turn. */
export interface Figure {
  readonly name: string
  readonly unit: Unit
  readonly value: number
}

/** Who takes turns with the others, or why there is none here. */
export type Contestant =
  | { readonly name: string, readonly turn: (seconds: number) => Promise<readonly Figure[]> }
  | { readonly name: string, readonly missing: string }

/** What a figure has to be, alone or beside another one of the same round. */
export interface Goal {
  /** The name of a figure. */
  readonly measured: string
  /** The name of the figure that it is compared with. */
  readonly against?: string
  /** × is how many times the other one; any other unit beside one is the difference to it. */
  readonly unit: Unit | '×'
  readonly at: 'least' | 'most'
  readonly bound: number
  /** What stands in the way, while it is not reached. */
  readonly inTheWay?: string
}

export interface Scenario {
  /** As on the command line. */
  readonly name: string
  readonly title: string
  readonly goals: readonly Goal[]
  /** Turns that are enough, and whether one that does not count comes first; left out: as many as are asked for, and yes. */
  readonly turns?: { readonly rounds: number, readonly warmUp: boolean }
  /** Starts everything; what it starts ends with the lab. */
  readonly open: (lab: Lab) => Promise<readonly Contestant[]>
}
