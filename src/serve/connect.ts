// Which chart repository does the configuration name, and how is it asked?
import type { Settings } from '../live/settings.ts'
import { CLOCK } from '../lib/clock.ts'
import { createUpstreamMinter } from '../tokens/issue.ts'
import { sayBreaker, type OutageLog } from '../observe/outages.ts'
import type { SigningKey } from '../tokens/keys.ts'
import { createUpstream, type Upstream, type UpstreamAuth, type UpstreamOptions } from '../upstream/client.ts'

export interface UpstreamHearers extends Pick<UpstreamOptions, 'onTrouble' | 'onAnswer' | 'tls'> {
  /** Hears when it is not asked for clients any more, and when it is again. */
  readonly log?: OutageLog
}

/**
 * @param settings of which its account may be another one by now
 * @param key what its tokens are signed with; for bearer alone
 * @param socketPath where the embedded repository listens; undefined: there is a URL
 * @param more who hears of trouble and of each answer, and how TLS is spoken
 */
export function connectUpstream (
  settings: Pick<Settings, 'current'>,
  key: SigningKey | undefined,
  socketPath: string | undefined,
  { log, ...more }: UpstreamHearers = {}
): Upstream {
  const config = settings.current
  const auth = upstreamAuth(settings, key)
  const origin = socketPath === undefined ? config.upstream.url as string : 'http://repository'
  const told = { ...more, ...(log === undefined ? {} : { onBreaker: sayBreaker(log, origin) }) }
  return createUpstream(socketPath === undefined
    ? { origin, contextPath: config.charts.contextPath, auth, ...told }
    : { origin, socketPath, takesConditions: true, contextPath: '', auth, ...told })
}

/** What may be handed out for the upstream: a token for one right, and never the one password of all. */
export function handsOut (settings: Pick<Settings, 'current'>, key: SigningKey): UpstreamAuth {
  return settings.current.upstream.auth === 'bearer' ? upstreamAuth(settings, key) : { kind: 'none' }
}

function upstreamAuth (settings: Pick<Settings, 'current'>, key: SigningKey | undefined): UpstreamAuth {
  const { upstream, publicUrl } = settings.current
  switch (upstream.auth) {
    case 'none': return { kind: 'none' }
    case 'basic': return { kind: 'basic', account: () => settings.current.upstream }
    case 'bearer': return { kind: 'bearer', mint: createUpstreamMinter(key as SigningKey, publicUrl, CLOCK) }
  }
}
