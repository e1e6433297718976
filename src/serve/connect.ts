// Which chart repository does the configuration name, and how is it asked?
import type { Config } from '../config/schema.ts'
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
 * @param key what its tokens are signed with; for bearer alone
 * @param socketPath where the embedded repository listens; undefined: there is a URL
 * @param more who hears of trouble and of each answer, and how TLS is spoken
 */
export function connectUpstream (
  config: Config,
  key: SigningKey | undefined,
  socketPath: string | undefined,
  { log, ...more }: UpstreamHearers = {}
): Upstream {
  const auth = upstreamAuth(config, key)
  const origin = socketPath === undefined ? config.upstream.url as string : 'http://repository'
  const told = { ...more, ...(log === undefined ? {} : { onBreaker: sayBreaker(log, origin) }) }
  return createUpstream(socketPath === undefined
    ? { origin, contextPath: config.charts.contextPath, auth, ...told }
    : { origin, socketPath, takesConditions: true, contextPath: '', auth, ...told })
}

/** What may be handed out for the upstream: a token for one right, and never the one password of all. */
export function handsOut (config: Config, key: SigningKey): UpstreamAuth {
  return config.upstream.auth === 'bearer' ? upstreamAuth(config, key) : { kind: 'none' }
}

function upstreamAuth ({ upstream, publicUrl }: Config, key: SigningKey | undefined): UpstreamAuth {
  switch (upstream.auth) {
    case 'none': return { kind: 'none' }
    case 'basic': return { kind: 'basic', username: upstream.username, password: upstream.password }
    case 'bearer': return { kind: 'bearer', mint: createUpstreamMinter(key as SigningKey, publicUrl, CLOCK) }
  }
}
