// Which chart repository does the configuration name, and how is it asked?
import type { Config } from '../config/schema.ts'
import { CLOCK } from '../lib/clock.ts'
import { createUpstreamMinter } from '../tokens/issue.ts'
import type { SigningKey } from '../tokens/keys.ts'
import { createUpstream, type Upstream, type UpstreamAuth } from '../upstream/client.ts'

/** @param socketPath where the embedded repository listens; undefined: there is a URL */
export function connectUpstream (config: Config, key: SigningKey, socketPath: string | undefined): Upstream {
  const auth = upstreamAuth(config, key)
  return createUpstream(socketPath === undefined
    ? { origin: config.upstream.url as string, contextPath: config.charts.contextPath, auth }
    : { origin: 'http://repository', socketPath, takesConditions: true, contextPath: '', auth })
}

function upstreamAuth ({ upstream, publicUrl }: Config, key: SigningKey): UpstreamAuth {
  switch (upstream.auth) {
    case 'none': return { kind: 'none' }
    case 'basic': return { kind: 'basic', username: upstream.username, password: upstream.password }
    case 'bearer': return { kind: 'bearer', mint: createUpstreamMinter(key, publicUrl, CLOCK) }
  }
}
