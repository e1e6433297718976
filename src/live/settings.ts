// Which settings are in force? Those of the configuration that take effect at once, as one
// value: whoever uses one asks for it when it is needed, and the few who made something of
// one follow. What a restart alone changes is in it as it was at the start (config/reloads.ts).
import { keysChanged, type ConfigKey } from '../config/reloads.ts'
import type { Config } from '../config/schema.ts'
import type { Live } from '../lib/live.ts'
import type { LivePart } from './part.ts'

export type Settings = Live<Config>

/** Of these another part says when they are in force, because what they name may not be of use. */
const OF_PARTS: ReadonlySet<string> = new Set<ConfigKey>([
  'audit.file', 'audit.required',
  'listen.tls.cert', 'listen.tls.key', 'listen.tls.minVersion', 'listen.tls.clientCa',
  'admin.tls.cert', 'admin.tls.key',
  'upstream.tls.ca', 'upstream.tls.cert', 'upstream.tls.key', 'upstream.tls.serverName'
])

/** The configuration's own file, as a part of what is read again. */
export function settingsPart (settings: Settings): LivePart {
  return {
    files: async () => [],
    async load ({ config }, log) {
      const changed = keysChanged(settings.current.written, config.written).filter(key => !OF_PARTS.has(key))
      settings.current = config
      if (changed.length > 0) log.info({ keys: changed }, 'settings were read again')
      return { changed, mistakes: [], again: false }
    }
  }
}
