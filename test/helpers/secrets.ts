// Which secrets did this run of the tests make? Whoever makes one says so here. Where
// CHARTGATE_SECRETS_FILE names a file they are written there, in every form that a log
// could have them in, and where CHARTGATE_TEST_LOG names one, gateways log into it
// whatever they can: .ci/run looks for the first in the second.
import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { makeSecret } from '../../src/identity/sources/robot-secret.ts'

/** What a gateway under test logs at, where its log is kept; undefined where it is not. */
export const KEPT_LOG_LEVEL = process.env['CHARTGATE_TEST_LOG'] === undefined ? undefined : 'debug'

/** A password that nobody has used before. */
export function newPassword (): string {
  return recordSecret(`pw-${randomBytes(12).toString('hex')}`)
}

/** A robot's secret. */
export function newSecret (): string {
  return recordSecret(makeSecret())
}

/** A master key of a gateway under test. */
export function newMasterKey (): string {
  return recordSecret(`test-key-${randomBytes(12).toString('hex')}`)
}

/** Of a token the signature alone is secret: its claims may be logged. */
export function recordToken (token: string): string {
  recordSecret(token.split('.')[2] as string)
  return token
}

/** @returns what it was given */
export function recordSecret (secret: string): string {
  if (secret.length < 12) throw new Error('too short to be looked for: it would be found everywhere')
  const file = process.env['CHARTGATE_SECRETS_FILE']
  if (file !== undefined) appendFileSync(file, [secret, ...encodings(secret)].map(line => `${line}\n`).join(''))
  return secret
}

/** Keeps what a gateway under test has logged. */
export function keepLog (text: string): void {
  const file = process.env['CHARTGATE_TEST_LOG']
  if (file !== undefined) appendFileSync(file, text)
}

/** The part that is the same wherever the secret stands in something that is sent as base64, as Basic is. */
function encodings (secret: string): string[] {
  return [0, 1, 2].map(before => {
    const text = Buffer.from('x'.repeat(before) + secret).toString('base64')
    const whole = Math.floor((before + Buffer.byteLength(secret)) / 3) * 4
    return text.slice(Math.ceil(before * 8 / 6), whole)
  })
}
