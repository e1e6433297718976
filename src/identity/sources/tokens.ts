// Whose token is it? What chartgate or a configured token server has signed
// (tokens/verify.ts), as Bearer or as the password of Basic.
import type { Verifier } from '../../tokens/verify.ts'
import { looksLikeToken } from '../credentials.ts'
import type { IdentitySource } from './source.ts'

export function createTokenSource (verifier: Verifier): IdentitySource {
  return {
    authenticate ({ secret, header }) {
      if (!looksLikeToken(secret)) return undefined
      // Remembered by the header that it would come in, so that two doors share what is known of it.
      const as = header ?? `Bearer ${secret}`
      return verifier.remembered(as) ?? verifier.verify(secret, as)
    },
    isActive: () => false // a token is issued to who has an account, and not to a token
  }
}
