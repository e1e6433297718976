// Who else keeps indexes in memory? With several workers each has a memory of its own.

/** The other workers, as one of them sees them. */
export interface Peers {
  /** Something of the tenant has changed; resolves when no other worker answers from before it. */
  changed (tenant: string): Promise<void>
  /** What to do when another worker says so. */
  onChange (forget: (tenant: string) => void): void
}
