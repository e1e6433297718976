// How far may the clock of a ChartMuseum be from ours? It gives a token no leeway (the
// library behind chartmuseum/auth), so the gateway does.

/** Seconds, in either direction. */
export const UPSTREAM_SKEW = 60
