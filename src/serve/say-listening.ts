// What is said when it listens: a line of log, or a text for the person at the terminal who
// started it.
import type pino from 'pino'
import { nameOfConfig } from '../config/find.ts'
import { isLoopback } from '../lib/safe-url.ts'
import type { Config } from '../config/schema.ts'
import type { Settings } from '../live/settings.ts'
import { sayAuthz } from './authz-notes.ts'
import type { ServeOptions } from './started.ts'
import { walkthrough } from './walkthrough.ts'

interface ListensAt { readonly address: string, readonly probes: string }

/** Says that it listens: to the person who started it, or in the log. */
export function sayListening (
  settings: Settings,
  log: pino.Logger,
  place: ListensAt,
  { announce, demoChart }: Pick<ServeOptions, 'announce' | 'demoChart'>
): void {
  const config = settings.current
  if (announce === undefined) {
    const { publicUrl, stateDir } = config
    log.info({ ...place, publicUrl, stateDir }, `chartgate listens; ${nameOfConfig(config.file)}`)
  } else announce(welcome(config, place, demoChart !== undefined))
  sayAuthz(settings, log)
}

/** For a person at a terminal; with what to try, where the demo runs. */
function welcome (config: Config, { address, probes }: ListensAt, demo: boolean): string {
  const { publicUrl, listen, stateDir, file } = config
  const text = `chartgate listens on ${address} as ${publicUrl}, for probes on ${probes}; ` +
    `${nameOfConfig(file)}; its data lies in ${stateDir}\n`
  const local = isLoopback(listen.host) && isLoopback(new URL(publicUrl).hostname)
  return demo ? text + walkthrough(publicUrl, { address, local }) : text
}
