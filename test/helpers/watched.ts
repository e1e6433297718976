// A configuration and its accounts, watched as a gateway does, in this process.
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { authorityPart } from '../../src/live/authority-part.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { ReloadFacts } from '../../src/live/part.ts'
import { openAuthority, watchConfig, type ConfigWatch, type LiveAuthority, type Reload } from '../../src/live/reload.ts'
import { testFolder, type TestLike } from './folder.ts'
import { until } from './until.ts'

export type LogLine = Record<string, unknown> & { level: string, message: string }

export interface Watched {
  readonly dir: string
  readonly live: LiveAuthority
  readonly watch: ConfigWatch
  readonly log: LogLine[]
  /** What it reports of each look. */
  readonly reports: ReloadFacts[]
  /** Writes a file as editors and Kubernetes do: a new one takes the name. */
  write (name: string, text: string): void
  /** Waits for a line of the log that was not there before. */
  nextLine (message: string): Promise<LogLine>
}

/** Watches a configuration file and what it names, all in a folder of the test's own. */
export async function watched (t: TestLike, config: string, files: Record<string, string>): Promise<Watched> {
  const dir = testFolder(t, { 'chartgate.yaml': config, ...files })
  const reload: Reload = async (reader, held) => await loadConfig(join(dir, 'chartgate.yaml'), {}, reader, held)
  const loaded = await loadConfig(join(dir, 'chartgate.yaml'), {})
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'))
  const authority = await openAuthority(loaded.config)
  if (!authority.ok) throw new Error(authority.mistakes.join('\n'))
  const log: LogLine[] = []
  const reports: ReloadFacts[] = []
  const write = (level: string) => (fields: object, message: string) => { log.push({ ...fields, level, message }) }
  const watch = watchConfig({ parts: [authorityPart(authority.opened)], stamps: authority.opened.stamps, config: loaded.config, reload, log: { info: write('info'), warn: write('warn'), error: write('error') }, report: facts => { reports.push(facts) } })
  t.teardown(() => { watch.close() })
  let seen = 0
  return {
    dir,
    live: authority.opened.live,
    watch,
    log,
    reports,
    write (name, text) {
      writeFileSync(join(dir, `${name}.new`), text)
      renameSync(join(dir, `${name}.new`), join(dir, name))
    },
    nextLine: async message => await until(() => {
      const i = log.findIndex((line, i) => i >= seen && line.message === message)
      if (i >= 0) seen = i + 1
      return log[i]
    })
  }
}
