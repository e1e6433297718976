// When does a robot's secret begin and end, in the words of people and of files?
import type { RobotSecret } from '../identity/accounts.ts'
import { CLOCK } from '../lib/clock.ts'
import { showTime } from '../tokens/key-folder.ts'

const HOUR = 3600

/** The moment so far ahead (90d, 12h), as a file has it, or `never`; undefined for a text that says no time. */
export function readEnd (text: string): string | undefined {
  if (text === 'never') return text
  const [, count, unit] = /^([1-9]\d{0,4})([hd])$/.exec(text) ?? []
  return count === undefined ? undefined : showTime(CLOCK.wall() + Number(count) * (unit === 'd' ? 24 * HOUR : HOUR))
}

/** A moment of a secret for programs; null when it has none. */
export function isoOf (seconds: number | undefined): string | null {
  return seconds === undefined ? null : showTime(seconds)
}

/** The end of a secret that has to end at this moment, or does so before. */
export function earlierEnd ({ expires = Infinity }: RobotSecret, moment: string): string {
  return expires * 1000 < Date.parse(moment) ? showTime(expires) : moment
}

export function hasEnded ({ expires = Infinity }: RobotSecret): boolean {
  return expires <= CLOCK.wall()
}

export function hasBegun ({ notBefore = -Infinity }: RobotSecret): boolean {
  return notBefore <= CLOCK.wall()
}

/** From when until when, such as `ends 2027-02-01T00:00:00Z`. */
export function lifeOf (secret: RobotSecret): string {
  const { notBefore, expires } = secret
  const begins = notBefore === undefined || hasBegun(secret) ? '' : `begins ${showTime(notBefore)}, `
  if (expires === undefined) return `${begins}does not end`
  return `${begins}${hasEnded(secret) ? 'ended' : 'ends'} ${showTime(expires)}`
}
