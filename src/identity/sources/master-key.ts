// Is it the master key? One secret that may do everything, under any name.
import { hash, timingSafeEqual } from 'node:crypto'
import { MASTER } from '../../words/principal.ts'
import type { Authentication, IdentitySource } from './source.ts'

const IS_MASTER: Authentication = { ok: true, principal: MASTER, again: () => IS_MASTER }

/** @param masterKey empty: there is none */
export function createMasterKeySource (masterKey: string): IdentitySource {
  const isMasterKey = secretComparer(masterKey)
  return {
    bySecret: true,
    authenticate: ({ secret }) => isMasterKey(secret) ? IS_MASTER : undefined,
    isActive: subject => masterKey !== '' && subject === MASTER.subject
  }
}

/** Compares with a secret in a time that tells nothing of it; false for everything when it is empty. */
function secretComparer (secret: string): (candidate: string) => boolean {
  if (secret === '') return () => false
  const digest = (text: string): Buffer => hash('sha256', text, 'buffer')
  const expected = digest(secret)
  return candidate => timingSafeEqual(digest(candidate), expected)
}
