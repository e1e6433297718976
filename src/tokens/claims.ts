// What does a token's payload say, once somebody's signature on it is good? Times and
// rights, read the same way for our own tokens and for those of other token servers.
import { ACTIONS, type Action, type Grant } from '../words/access.ts'
import type { ReasonCode } from '../http/errors.ts'
import type { JsonObject } from './signature.ts'

/** Seconds that the clocks of issuer and verifier may differ, unless an issuer is given others. */
export const LEEWAY = 10

/**
 * Why a token does not count at this moment: it has to end, and what it says of its
 * beginning has to be so (RFC 7519 section 4.1).
 */
export function timeFault ({ exp, nbf, iat }: JsonObject, now: number, leeway = LEEWAY): ReasonCode | undefined {
  if (!isTime(exp) || !(nbf === undefined || isTime(nbf)) || !(iat === undefined || isTime(iat))) {
    return 'token_wrong_claims'
  }
  if (exp <= now - leeway) return 'token_expired'
  return Math.max(nbf ?? 0, iat ?? 0) > now + leeway ? 'token_not_yet_valid' : undefined
}

/** 1e400 is a number in JSON, and no time. */
export function isTime (value: unknown): value is number {
  return Number.isFinite(value)
}

/** True when the `aud` claim names this audience, alone or among others (RFC 7519 section 4.1.3). */
export function isFor (aud: unknown, audience: string): boolean {
  return aud === audience || (Array.isArray(aud) && aud.includes(audience))
}

interface AccessEntry { readonly type: string, readonly name: string, readonly actions: readonly string[] }

/** The grants of an `access` claim as we write it; undefined unless each entry is one. */
export function ownGrants (claim: unknown): Grant[] | undefined {
  const entries = readAccess(claim)
  return entries?.every(isGrant) === true ? entries : undefined
}

/**
 * The grants of an `access` claim of others: types and actions that mean nothing here are
 * left out; undefined unless it is a list of well-formed entries.
 */
export function knownGrants (claim: unknown): Grant[] | undefined {
  return readAccess(claim)
    ?.map((entry): AccessEntry => ({ ...entry, actions: entry.actions.filter(isAction) }))
    .filter(isGrant)
}

function readAccess (claim: unknown): AccessEntry[] | undefined {
  return Array.isArray(claim) && claim.every(isEntry)
    ? claim.map(({ type, name, actions }) => ({ type, name, actions }))
    : undefined
}

function isEntry (value: unknown): value is AccessEntry {
  if (typeof value !== 'object' || value === null) return false
  const { type, name, actions } = value as JsonObject
  return typeof type === 'string' && typeof name === 'string' &&
    Array.isArray(actions) && actions.every(action => typeof action === 'string')
}

function isGrant (entry: AccessEntry): entry is Grant {
  return (entry.type === 'artifact-repository' || entry.type === 'repository') && entry.actions.every(isAction)
}

function isAction (action: string): action is Action {
  return (ACTIONS as readonly string[]).includes(action)
}
