// Who asks the upstream, where a test has no request.
import { ALWAYS_HERE } from '../../src/lib/presence.ts'
import { alone, type Asker, type Asking } from '../../src/upstream/asker.ts'
import type { Company } from '../../src/lib/company.ts'

/** One who does not go, unless the test says otherwise. */
export function someAsker (parts: Partial<Asker> = {}): Asker {
  return {
    requestId: 'some-id',
    client: { address: '192.0.2.1', isProxy: false, proto: 'http', host: 'charts.example.test' },
    party: '192.0.2.1',
    tenant: 'org1/repo1',
    presence: ALWAYS_HERE,
    insists: false,
    answered: () => {},
    waits: { askedAt: 0, waited: 0, made: undefined },
    dismiss: () => {},
    ...parts
  }
}

export function somebody (parts?: Partial<Asker>): Company<Asking> {
  return alone(someAsker(parts))
}
