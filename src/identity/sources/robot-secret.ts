// What does a robot's secret look like? A prefix that scanners of repositories can look
// for, 256 random bits, and a checksum, so that a mistyped one and somebody else's token
// are told apart without asking anyone. The file keeps its SHA-256 alone: a secret with
// that much chance in it needs no slow hash.
import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

const PREFIX = 'cgr_'
/** For scanners: the prefix, 64 digits of chance, 8 of checksum. */
const SECRET_FORM = /^cgr_[0-9a-f]{72}$/

/** A new secret. */
export function makeSecret (): string {
  const chance = randomBytes(32).toString('hex')
  return PREFIX + chance + checksum(chance)
}

/** True for what can be a secret: its form and its checksum are right. */
export function looksLikeSecret (text: string): boolean {
  return SECRET_FORM.test(text) && checksum(text.slice(PREFIX.length, -8)) === text.slice(-8)
}

/** What a file keeps of a secret: SHA-256, hex. */
export function digestOf (secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

function checksum (text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
