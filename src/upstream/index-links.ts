// Where may an index send a client? Back to this gateway alone, to a file of the tenant:
// Helm follows whatever URL an index names, and a credential must never follow it to
// another host (Helm GHSA-56hp-xqp3-w2jf). Asked for every link of an index, once for each
// changed index; what comes of a link is `charts/<file>` in its one spelling, or nothing.
import { chartFileOf, isChartFile } from '../words/chart-names.ts'
import { encodeSegment } from '../words/segment.ts'

/** Whose index it is, and where clients have the gateway. */
export interface IndexPlace {
  /** The tenant's segments in a path, '' at the root. */
  readonly tenantPath: string
  /** The gateway's own path, '' or '/helm'. */
  readonly basePath: string
}

/** What an entry of an index says of itself; '' where it says nothing. */
export interface EntryWords {
  readonly name: string
  readonly version: string
}

export type Link =
  | { readonly kind: 'local', readonly file: string }
  /** Elsewhere, by a link whose last segment is this file: whose it is, other links of the index may know. */
  | { readonly kind: 'elsewhere', readonly file: string | undefined }
  /** A file of this tenant, but no path can say its name. */
  | { readonly kind: 'unsayable' }

/** The form of nearly all links, which needs no look at anything else. */
const PLAIN_LINK = /^charts\/[A-Za-z0-9_][A-Za-z0-9._+~-]{0,240}\.tgz$/

/** True for a link that stays as it is. */
export function isPlainLink (url: string): boolean {
  return PLAIN_LINK.test(url)
}

/**
 * What a link leads to.
 * @param entry what the entry around it says: ChartMuseum names a file after the version in
 *   it (v0.16.5, pkg/repo/chart.go), so a link to a file of that name, wherever it leads,
 *   is one of a file that this tenant has
 */
export function readLink (url: string, entry: EntryWords, { tenantPath }: IndexPlace): Link {
  const own = chartFileOf(entry.name, entry.version)
  const { folder, file } = lastSegment(url, own)
  if (!isOwnFolder(folder, tenantPath) && file !== own) {
    const decoded = decodeFile(file, own)
    return decoded === own ? { kind: 'local', file: own } : { kind: 'elsewhere', file: decoded }
  }
  const decoded = decodeFile(file, own)
  if (decoded !== undefined) return { kind: 'local', file: decoded }
  // What has no name of a chart's is nothing that a person could call otherwise.
  return file.endsWith('.tgz') ? { kind: 'unsayable' } : { kind: 'elsewhere', file: undefined }
}

/** Which files an index leads to here. */
export class FilesHere {
  /** Whether a link says it as it is, and not by an encoding. */
  private readonly files = new Map<string, boolean>()

  /** @param text the link, as it is written */
  add (text: string, file: string): void {
    this.files.set(file, this.files.get(file) === true || text.includes(file))
  }

  /**
   * The file that a link leads to here; undefined when there is none, or when the name of
   * another one may be meant: ChartMuseum encodes nothing, so beside `a-1.tgz` a link to
   * `a%2D1.tgz` is one to a file that is called so.
   */
  fileOf (text: string, link: Link): string | undefined {
    if (link.kind === 'unsayable' || link.file === undefined) return undefined
    if (link.kind === 'elsewhere') return this.files.has(link.file) ? link.file : undefined
    return text.includes(link.file) || this.files.get(link.file) !== true ? link.file : undefined
  }
}

/** The link to a file of the tenant. @param file isChartFile */
export function localUrl (file: string): string {
  return `charts/${encodeSegment(file)}`
}

/**
 * ChartMuseum's two forms: `charts/FILE`, and with --chart-url a URL that ends in the
 * tenant's `/charts/FILE`, whatever host and path are before it.
 */
function isOwnFolder (folder: string, tenantPath: string): boolean {
  return folder === 'charts/' || folder.endsWith(`${tenantPath === '' ? '' : `/${tenantPath}`}/charts/`)
}

/**
 * A link, cut before its last segment. ChartMuseum encodes nothing: `?` and `#` are of a
 * file's name, unless what is before them is one.
 */
function lastSegment (url: string, own: string): { folder: string, file: string } {
  const whole = cut(url)
  if (whole.file === own) return whole
  const withoutQuery = cut(url.split(/[?#]/, 1)[0] as string)
  return withoutQuery.file.endsWith('.tgz') ? withoutQuery : whole
}

function cut (url: string): { folder: string, file: string } {
  const at = url.lastIndexOf('/') + 1
  return { folder: url.slice(0, at), file: url.slice(at) }
}

/**
 * The file that a segment means: a percent-encoding means what it means to every client,
 * but where the entry itself is called so (ChartMuseum encodes nothing).
 * @returns undefined for what no path can say
 */
function decodeFile (segment: string, own: string): string | undefined {
  const text = segment === own ? segment : decodeOnce(segment)
  return text !== undefined && isChartFile(text) ? text : undefined
}

function decodeOnce (segment: string): string | undefined {
  if (!/%[0-9A-Fa-f]{2}/.test(segment)) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
