// Is it the secret? Compared in a time that tells nothing of it.
import { hash, timingSafeEqual } from 'node:crypto'

/** @returns false for everything when the secret is empty */
export function secretComparer (secret: string): (candidate: string) => boolean {
  if (secret === '') return () => false
  const digest = (text: string): Buffer => hash('sha256', text, 'buffer')
  const expected = digest(secret)
  return candidate => timingSafeEqual(digest(candidate), expected)
}
