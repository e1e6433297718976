// Where may an index send a client? Back to this gateway alone: Helm follows whatever
// URL an index names, and a credential must never follow it to another host (Helm
// GHSA-56hp-xqp3-w2jf). Asked for every URL of an index, once for each changed index.

/** Where the upstream has the tenant, and where clients have the gateway. */
export interface IndexPlace {
  /** The upstream's context path, '' or '/cm'. */
  readonly contextPath: string
  /** The tenant's segments in a path, '' at the root. */
  readonly tenantPath: string
  /** The gateway's own path, '' or '/helm'. */
  readonly basePath: string
}

// A first segment without a colon is no scheme; a slash or backslash in front would name
// a host, to some readers at least; an encoded dot is a dot to some.
const RELATIVE = /^(?!\/)(?:[A-Za-z0-9._~+@=,/-]|%2B)+$/
const FILE = /^[A-Za-z0-9._+-]+$/

/**
 * The URL that a client may follow.
 * @returns undefined for one that leads away from here
 */
export function localUrl (url: string, { contextPath, tenantPath }: IndexPlace): string | undefined {
  if (RELATIVE.test(url) && !url.includes('..')) return url
  // ChartMuseum's --chart-url: <url><context path>/<tenant>/charts/<file>
  const path = /^(?:https?:)?\/\/[A-Za-z0-9.:[\]_-]+(\/.*)$/i.exec(url)?.[1] ?? (/^\/[^/\\]/.test(url) ? url : undefined)
  const folder = `${contextPath}${tenantPath === '' ? '' : `/${tenantPath}`}/charts/`
  if (path?.startsWith(folder) !== true) return undefined
  const file = path.slice(folder.length)
  return FILE.test(file) ? `charts/${file}` : undefined
}
