// What does a line of the log look like? JSON, with the name of its level and the time as
// people and every collector read it (ISO 8601, UTC).
import { hostname } from 'node:os'
import pino from 'pino'

/** For every logger of the program (pino's options). */
export const LOG_FORM = {
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (level: string) => ({ level }) }
}

/** A whole line in the same form, where no logger is. */
export function lineOf (level: 'error', fields: object, msg: string): string {
  const time = new Date().toISOString()
  return JSON.stringify({ level, time, pid: process.pid, hostname: hostname(), ...fields, msg }) + '\n'
}
