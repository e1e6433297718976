// Which chart repository answers for a tenant? One for all of them.
import type { Upstream } from './client.ts'

export interface Upstreams {
  of (tenant: string): Upstream
}

export function onlyUpstream (upstream: Upstream): Upstreams {
  return { of: () => upstream }
}
