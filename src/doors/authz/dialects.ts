// How does each proxy ask whether a request may pass, and which answers does it pass on? As
// they were recorded (test/data/forward-auth); Gateway API as GEP-1494 has it, which is
// Envoy's way. One of them is configured: a client cannot choose another.
import type { DialectName } from '../../words/dialects.ts'

export interface Dialect {
  /** Where the client's method and target are: in headers, or in the request line, behind /authz. */
  readonly asks:
    | {
      readonly in: 'headers'
      readonly method: string
      readonly target: string
      /** The same as a whole URL, as ingress controllers write it: one is enough, and two have to agree. */
      readonly url?: string
    }
    | { readonly in: 'request line' }
  /** Any other no is an error to the proxy, and a 500 to its client. */
  readonly knows401And403Alone?: true
}

const FORWARDED: Dialect = { asks: { in: 'headers', method: 'X-Forwarded-Method', target: 'X-Forwarded-Uri' } }
const REQUEST_LINE: Dialect = { asks: { in: 'request line' } }

export const DIALECT_OF: Readonly<Record<DialectName, Dialect>> = {
  nginx: {
    asks: { in: 'headers', method: 'X-Original-Method', target: 'X-Original-URI', url: 'X-Original-URL' },
    knows401And403Alone: true
  },
  traefik: FORWARDED,
  caddy: FORWARDED,
  envoy: REQUEST_LINE,
  'gateway-api': REQUEST_LINE
}
