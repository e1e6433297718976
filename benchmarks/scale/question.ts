// What is asked of growth? Something that may be small or large, and what each size of it
// costs. Every file in questions/ is one; run.ts asks nothing else.
import type { Lab } from '../lab/lab.ts'
import type { Unit } from '../scenario.ts'

export interface Measure {
  readonly name: string
  readonly unit: Unit
  /** `whole`: of all of it, which grows as it does when each part costs the same; `each`: of one request, whatever there is besides. */
  readonly of: 'whole' | 'each'
}

export interface ScaleQuestion {
  /** As on the command line. */
  readonly name: string
  readonly title: string
  /** What is counted: versions, tenants. */
  readonly of: string
  readonly sizes: readonly number[]
  readonly measures: readonly Measure[]
  /** How it was measured, and why a measure grows otherwise than it should, for the results. */
  readonly words: string
  /** In the order of the measures; undefined: not at this size. What it starts ends with the lab. */
  readonly measure: (lab: Lab, size: number) => Promise<readonly (number | undefined)[]>
}

export interface ScaleRow {
  readonly size: number
  readonly values: readonly (number | undefined)[]
}

export type ScaleOutcome =
  | { readonly question: ScaleQuestion, readonly rows: readonly ScaleRow[] }
  | { readonly question: ScaleQuestion, readonly failure: string }
