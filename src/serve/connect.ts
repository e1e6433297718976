// Which chart repository does the configuration name, and how is it asked?
import type { Config } from '../config/schema.ts'
import { CLOCK } from '../lib/clock.ts'
import { createUpstreamMinter } from '../tokens/issue.ts'
import type { SigningKey } from '../tokens/keys.ts'
import { createUpstream, type Upstream, type UpstreamAuth, type UpstreamOptions } from '../upstream/client.ts'

/**
 * @param key what its tokens are signed with; for bearer alone
 * @param socketPath where the embedded repository listens; undefined: there is a URL
 * @param more who hears of trouble and of each answer, and how TLS is spoken
 */
export function connectUpstream (
  config: Config,
  key: SigningKey | undefined,
  socketPath: string | undefined,
  more: Pick<UpstreamOptions, 'onTrouble' | 'onAnswer' | 'tls'> = {}
): Upstream {
  const auth = upstreamAuth(config, key)
  return createUpstream(socketPath === undefined
    ? { origin: config.upstream.url as string, contextPath: config.charts.contextPath, auth, ...more }
    : { origin: 'http://repository', socketPath, takesConditions: true, contextPath: '', auth, ...more })
}

function upstreamAuth ({ upstream, publicUrl }: Config, key: SigningKey | undefined): UpstreamAuth {
  switch (upstream.auth) {
    case 'none': return { kind: 'none' }
    case 'basic': return { kind: 'basic', username: upstream.username, password: upstream.password }
    case 'bearer': return { kind: 'bearer', mint: createUpstreamMinter(key as SigningKey, publicUrl, CLOCK) }
  }
}
