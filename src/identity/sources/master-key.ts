// Is it the master key? One secret that may do everything, under any name.
import { secretComparer } from '../../lib/same-secret.ts'
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
