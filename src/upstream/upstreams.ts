// Which chart repository answers for a tenant? One for all of them, at one address or at
// several: changes, and what is looked at for them, are the first address's alone, and so
// are reads while it answers.
import { RefusalError } from '../http/errors.ts'
import type { Connections } from '../limits/shares.ts'
import type { ToldChange } from './change.ts'
import type { Question, Reads, Upstream } from './client.ts'
import { isAway, readsOf, type StandIn } from './elsewhere.ts'
import type { FollowerState } from './follower.ts'

export interface Upstreams {
  /** For what changes something, and for what is looked at meanwhile. */
  of (tenant: string): Upstream
  /** For what clients read. */
  forReads (tenant: string): Reads
  /** Resolves when every read from now on shows the change that was made, as far as addresses differ. */
  show (change: ToldChange): Promise<void>
  /** Something may have changed, and nobody knows what: other addresses than the first are not known to show it. */
  doubt (): void
  /** How the connections to all addresses are used now. */
  connections (): Connections
  /** What is known of each further address, in the order of the configuration. */
  followers (): readonly FollowerState[]
}

export function onlyUpstream (upstream: Upstream): Upstreams {
  return {
    of: () => upstream,
    forReads: () => upstream,
    show: async () => {},
    doubt () {},
    connections: upstream.connections,
    followers: () => []
  }
}

/** @param standIns may be none */
export function severalUpstreams (first: Upstream, standIns: readonly StandIn[]): Upstreams {
  if (standIns.length === 0) return onlyUpstream(first)
  const changes = forChanges(first)
  const reads = readsOf(first, standIns)
  return {
    of: () => changes,
    forReads: () => reads,
    async show (change) {
      await Promise.all(standIns.map(async ({ follower }) => { await follower.see(change) }))
    },
    doubt () { for (const { follower } of standIns) follower.doubt() },
    connections: () => standIns.map(({ upstream }) => upstream.connections()).reduce(plus, first.connections()),
    followers: () => standIns.map(({ follower }) => follower.state())
  }
}

/**
 * What is looked at before a change: when there is no answer, nothing was changed, and the
 * client may send it again when the first address is back, while others are read from.
 */
function forChanges (first: Upstream): Upstream {
  return {
    ...first,
    async ask (question: Question) {
      try {
        return await first.ask(question)
      } catch (error) {
        if (question.method !== 'GET' || !isAway(error)) throw error
        throw new RefusalError({ code: 'upstream_away' }, { cause: (error as Error).cause })
      }
    }
  }
}

function plus (a: Connections, b: Connections): Connections {
  return Object.fromEntries(Object.entries(a).map(([name, value]) => [name, value + b[name as keyof Connections]])) as
    unknown as Connections
}
