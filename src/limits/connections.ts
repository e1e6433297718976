// May this connection stay? So many may be open in all and so many from one address, that
// of a client or of a network (origin.ts). Proxies that are trusted bring everybody's, and
// have no bound of their own. Nobody who is there is closed for somebody who comes.

export interface ConnectionBounds {
  readonly all: number
  readonly ofOrigin: number
}

/** Of the admin listener: who takes all that one address may have keeps no probe of another one out. */
export const ADMIN_BOUNDS: ConnectionBounds = { all: 512, ofOrigin: 128 }

/** `address`: its own bound is reached. */
export type Taken = 'taken' | 'address'

export interface ConnectionsStanding extends ConnectionBounds {
  readonly open: number
  /** How many were closed as they came, by the bound that was reached. */
  readonly refused: { readonly all: number, readonly address: number }
}

export interface ConnectionCounts {
  /** @param origin undefined: it has no bound of its own */
  take (origin: string | undefined): Taken
  /** One that was taken has ended. */
  giveBack (origin: string | undefined): void
  /** One was closed because of the bound of all, before anybody asked. */
  refusedOfAll (): void
  standing (): ConnectionsStanding
}

/** @param bounds as they are now */
export function createConnectionCounts (bounds: () => ConnectionBounds): ConnectionCounts {
  /** Of those that have any. */
  const origins = new Map<string, number>()
  const refused = { all: 0, address: 0 }
  let open = 0

  return {
    take (origin) {
      if (origin !== undefined) {
        const known = origins.get(origin) ?? 0
        if (known >= bounds().ofOrigin) {
          refused.address++
          return 'address'
        }
        origins.set(origin, known + 1)
      }
      open++
      return 'taken'
    },
    giveBack (origin) {
      open--
      if (origin === undefined) return
      const left = (origins.get(origin) as number) - 1
      if (left === 0) origins.delete(origin)
      else origins.set(origin, left)
    },
    refusedOfAll () { refused.all++ },
    standing: () => ({ ...bounds(), open, refused: { ...refused } })
  }
}

/**
 * What one of several processes has of the bounds of `listen`; together a few more than
 * them, so that each has one.
 */
export function boundsOf (
  { maxConnections, maxConnectionsPerAddress }: Readonly<Record<'maxConnections' | 'maxConnectionsPerAddress', number>>,
  processes: number
): ConnectionBounds {
  const share = (bound: number): number => Math.ceil(bound / processes)
  return { all: share(maxConnections), ofOrigin: share(maxConnectionsPerAddress) }
}
