// Which proxies ask at /authz, each in its own words? What they say is read in
// doors/authz/dialects.ts.

export const DIALECTS = ['nginx', 'traefik', 'caddy', 'envoy', 'gateway-api'] as const
export type DialectName = typeof DIALECTS[number]
