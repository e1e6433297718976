// The limits of failed logins, as they are configured now, for the process that counts them for all.
import type { Config } from '../config/schema.ts'
import { CLOCK, type Clock } from '../lib/clock.ts'
import type { CountStore } from '../limits/counter.ts'
import { createLoginLimits, SHARE_OF_SEVERAL, type OwnLoginLimits } from '../limits/logins.ts'

interface Log {
  warn (fields: object, message: string): void
}

/**
 * What they have to say goes into the log.
 * @param store where all replicas count; undefined: this one counts for itself
 */
export function openLogins (
  settings: { readonly current: Pick<Config, 'limits'> },
  log: Log,
  { store, clock = CLOCK }: { readonly store?: CountStore | undefined, readonly clock?: Clock } = {}
): OwnLoginLimits {
  return createLoginLimits(() => settings.current.limits.logins, {
    clock: clock.monotonic,
    store,
    onShared (origin) {
      const share = settings.current.limits.logins.perAddress * SHARE_OF_SEVERAL
      log.warn(
        { ip: origin },
        'several accounts log in from this address: if it is a proxy, name it in trustedProxies, so that failed ' +
          `logins are counted for each client behind it; till then they share ${share} (limits.logins.perAddress)`
      )
    }
  })
}
