// A request on its way from a valid one to bytes, and what its mutations can reach for.
import type { Body } from './bodies.ts'
import type { World } from './worlds.ts'

/** Who takes part. */
export interface Cast {
  readonly world: World
  /** The principal's token. */
  readonly token: string
  /** A token that proves nothing here. */
  readonly foreignToken: string
  readonly bodies: readonly Body[]
}

/** A request that is not yet bytes; text is latin1. */
export interface Draft {
  method: string
  target: string
  version: string
  headers: string[]
  body: Buffer
  /** False when its bytes may say something else about where it ends than we think. */
  framed: boolean
  /** What is done to the finished bytes. */
  readonly late: ((bytes: Buffer) => Buffer)[]
}

/** Up to 200 bytes from a number, always the same (a linear congruential generator, Numerical Recipes' constants). */
export function randomBytes (seed: number): Buffer {
  const bytes = Buffer.alloc(1 + (seed >>> 7) % 200)
  let state = seed
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    bytes[i] = state >>> 24
  }
  return bytes
}

/** The member of the list that a number of any size names. */
export function pick<T> (list: readonly T[], seed: number): T {
  return list[seed % list.length] as T
}
