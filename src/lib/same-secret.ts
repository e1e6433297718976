// Is it the secret? Compared in a time that tells nothing of it.
import { hash, timingSafeEqual } from 'node:crypto'

/** The same for a secret that may be another one by now. */
export function liveSecretComparer (secret: () => string): (candidate: string) => boolean {
  let known = secret()
  let isSecret = secretComparer(known)
  return candidate => {
    const now = secret()
    if (now !== known) [known, isSecret] = [now, secretComparer(now)]
    return isSecret(candidate)
  }
}

/** @returns false for everything when the secret is empty */
export function secretComparer (secret: string): (candidate: string) => boolean {
  if (secret === '') return () => false
  const digest = (text: string): Buffer => hash('sha256', text, 'buffer')
  const expected = digest(secret)
  return candidate => timingSafeEqual(digest(candidate), expected)
}
