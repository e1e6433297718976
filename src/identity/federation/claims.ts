// What does a token say of one thing? A claim as a text, and nothing that two readers could take
// for two things: a number is its decimal digits, and a list is no value, whatever is in it.
import type { JsonObject } from '../../tokens/signature.ts'
import { KINDS, type FederationKind } from './kinds.ts'

export type ClaimReading =
  | { readonly is: 'text', readonly text: string }
  | { readonly is: 'missing' }
  | { readonly is: 'no single value' }

const MISSING: ClaimReading = { is: 'missing' }
const NO_SINGLE_VALUE: ClaimReading = { is: 'no single value' }
/** Nested claims of Kubernetes are named with a slash between the names of their levels. */
const NESTED = 'kubernetes.io/'

/** The value of a claim. @param name as `match` and templates have it */
export function claimOf (kind: FederationKind, claims: JsonObject, name: string): ClaimReading {
  const derived = KINDS[kind].derived
  if (derived !== undefined && Object.hasOwn(derived, name)) return readingOf(derived[name]?.(claims))
  return readingOf(name.startsWith(NESTED) && kind === 'kubernetes' ? nested(claims, name) : own(claims, name))
}

/**
 * A scalar as the text that it is compared by: ids are numbers here and texts there. undefined
 * for what has no such text: a number that JSON readers round, or that is no whole one.
 */
export function scalarText (value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  return Number.isSafeInteger(value) ? String(value) : undefined
}

function readingOf (value: unknown): ClaimReading {
  if (value === undefined || value === null || value === '') return MISSING
  const text = scalarText(value)
  return text === undefined ? NO_SINGLE_VALUE : { is: 'text', text }
}

/** `kubernetes.io/serviceaccount/name`: from level to level, never a claim that is itself called so. */
function nested (claims: JsonObject, name: string): unknown {
  const steps = ['kubernetes.io', ...name.slice(NESTED.length).split('/')]
  return steps.reduce<unknown>((place, step) => {
    const isLevel = typeof place === 'object' && place !== null && !Array.isArray(place)
    return isLevel ? own(place as JsonObject, step) : undefined
  }, claims)
}

function own (claims: JsonObject, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined
}
