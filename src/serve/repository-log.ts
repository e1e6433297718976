// What does the log say of the embedded repository? One line for each of its events. Asked
// where it runs alone, and where the gateway before it logs each request already: there
// only what nobody else says, above all why it failed.
import type { Logger } from 'pino'
import { errorForLog } from '../observe/log-error.ts'

/** What happened without anybody's wish; everything else is information. */
const LEVELS: Readonly<Record<string, 'warn' | 'error'>> = {
  refused: 'warn',
  cut_off: 'warn',
  folder_not_watched: 'warn',
  file_left_out: 'warn',
  index_not_saved: 'warn',
  index_not_removed: 'warn',
  failed: 'error'
}

export type RepositoryLog = (event: object) => void

/** For a repository that runs alone: everything. */
export function logOfRepository (logger: Logger): RepositoryLog {
  return event => {
    const { event: name, error } = event as { event: string, error?: unknown }
    logger[LEVELS[name] ?? 'info'](error === undefined ? event : { ...event, error: errorForLog(error) })
  }
}

/** For one behind a gateway: what went wrong, without what was merely refused. */
export function troubleOfRepository (logger: Logger): RepositoryLog {
  const log = logOfRepository(logger)
  return event => {
    const { event: name } = event as { event: string }
    if (name !== 'refused' && Object.hasOwn(LEVELS, name)) log(event)
  }
}
