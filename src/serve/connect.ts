// Which chart repository does the configuration name, at which addresses, and how is it asked?
import type { Settings } from '../live/settings.ts'
import { CLOCK } from '../lib/clock.ts'
import { every, later } from '../lib/timers.ts'
import { createUpstreamMinter } from '../tokens/issue.ts'
import type { OutageLog } from '../lib/outages.ts'
import { sayBreaker, sayFollower, type AddressPlace, type FollowerLog } from '../observe/outages.ts'
import type { SigningKey } from '../tokens/keys.ts'
import { createUpstream, type Upstream, type UpstreamAuth, type UpstreamOptions } from '../upstream/client.ts'
import type { StandIn } from '../upstream/elsewhere.ts'
import { createFollower } from '../upstream/follower.ts'
import { severalUpstreams, type Upstreams } from '../upstream/upstreams.ts'

export interface UpstreamHearers extends Pick<UpstreamOptions, 'onTrouble' | 'onAnswer' | 'tls'> {
  /** Hears when an address is not asked for clients any more, when it is again, and whether it follows the first. */
  readonly log?: OutageLog & FollowerLog
}

/** The repository at all its addresses. */
export interface Connected {
  readonly first: Upstream
  readonly further: readonly Upstream[]
  readonly upstreams: Upstreams
  close (): Promise<void>
}

/**
 * @param settings of which its account may be another one by now
 * @param key what its tokens are signed with; for bearer alone
 * @param socketPath where the embedded repository listens; undefined: there is a URL
 * @param hearers who hears of trouble with the first, of each answer and of followers, and how TLS is spoken
 */
export function connectUpstreams (
  settings: Pick<Settings, 'current'>,
  key: SigningKey | undefined,
  socketPath: string | undefined,
  { log, onTrouble, ...hearers }: UpstreamHearers = {}
): Connected {
  const { charts: { contextPath }, upstream: { url, further } } = settings.current
  const auth = upstreamAuth(settings, key)
  const open = (origin: string, place: AddressPlace, more: Partial<UpstreamOptions> = {}): Upstream => createUpstream({
    ...hearers,
    ...(log === undefined ? {} : { onBreaker: sayBreaker(log, origin, place) }),
    origin,
    contextPath,
    auth,
    ...more
  })
  const troubles = onTrouble === undefined ? {} : { onTrouble }
  const first = socketPath === undefined
    ? open(url as string, further.length === 0 ? 'only' : 'first', troubles)
    : open('http://repository', 'only', { ...troubles, socketPath, takesConditions: true, contextPath: '' })
  const standIns = further.map((origin): StandIn => {
    const upstream = open(origin, 'further')
    const follower = createFollower({
      first,
      other: upstream,
      later,
      every,
      clock: () => performance.now(),
      onChange: log === undefined ? () => {} : sayFollower(log, origin)
    })
    return { upstream, follower }
  })
  const upstreams = severalUpstreams(first, standIns)
  const all = [first, ...standIns.map(({ upstream }) => upstream)]
  return {
    first,
    further: all.slice(1),
    upstreams,
    async close () { await Promise.all(all.map(async each => { await each.close() })) }
  }
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
