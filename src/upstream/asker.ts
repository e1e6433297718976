// For whom is the upstream asked? What it is told of them, whose share of its connections
// it is, and whether they are still there.
import type { Caller } from '../http/headers.ts'
import { Company } from '../lib/company.ts'
import { ALWAYS_HERE } from '../lib/presence.ts'
import type { Sharer, WhyEnded } from '../limits/shares.ts'
import type { Waits } from '../observe/outcome.ts'

export interface Asker extends Caller, Sharer {
  /** Asks also while the upstream does not answer (breaker.ts): what was begun is done to its end. */
  readonly insists: boolean
  /** What is said of its wait. */
  readonly waits: Waits
  /** Lets go of a client that does not read what it asked for, and says why in the log. */
  dismiss (why: WhyEnded): void
  /** Hears what the upstream answered to what was asked for it alone. */
  answered (status: number): void
}

/** One who asks, among those who ask for the same. */
export interface Asking { readonly asker: Asker }

/** Whoever asks alone. */
export function alone (asker: Asker): Company<Asking> {
  return new Company({ asker })
}

/** Of what the gateway asks of its own. */
export function gatewayItself (tenant: string): Asker {
  return {
    requestId: '',
    client: { address: undefined, isProxy: false, proto: '', host: '' },
    party: 'the gateway itself',
    tenant,
    presence: ALWAYS_HERE,
    insists: true,
    waits: { askedAt: 0, waited: 0, made: undefined },
    dismiss: () => {},
    answered: () => {}
  }
}

/** The same who asks, for what is done to its end also when they have gone. */
export function toItsEnd (asker: Asker): Asker {
  const { requestId, client, party, tenant, waits } = asker
  return { ...gatewayItself(tenant), requestId, client, party, waits, answered: status => { asker.answered(status) } }
}
