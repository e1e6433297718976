// Who else keeps indexes in memory? With several workers each has a memory of its own, and so
// has each replica.

/** The others, as one of them sees them. */
export interface Peers {
  /** Something of the tenant has changed; resolves when none of the others answers from before it. */
  changed (tenant: string): Promise<void>
  /** What to do when another one says so. @param forget undefined: of all tenants */
  onChange (forget: (tenant?: string) => void): void
  /** May an index be answered from memory at this moment? */
  holds (): boolean
}

/** There are none. */
export const NO_PEERS: Peers = {
  changed: async () => {},
  onChange () {},
  holds: () => true
}
