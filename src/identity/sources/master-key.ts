// Is it the master key? One secret that may do everything, under any name.
import { liveSecretComparer } from '../../lib/same-secret.ts'
import { MASTER } from '../../words/principal.ts'
import type { Authentication, IdentitySource } from './source.ts'

/** @param masterKey as it is now; empty: there is none */
export function createMasterKeySource (masterKey: () => string): IdentitySource {
  const isMasterKey = liveSecretComparer(masterKey)

  /** Who showed this key is known as long as it is the key. */
  function masterBy (key: string): Authentication {
    const found: Authentication = {
      ok: true,
      principal: MASTER,
      again: () => masterKey() === key ? found : undefined
    }
    return found
  }

  return {
    bySecret: true,
    authenticate: ({ secret }) => isMasterKey(secret) ? masterBy(masterKey()) : undefined,
    isActive: subject => masterKey() !== '' && subject === MASTER.subject
  }
}
