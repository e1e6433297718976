// What is asked of the registry? Everything below /v2/, pull and push, from the method and
// the raw path and query to an OciRequest or a refusal. No percent-encoding is taken: clients
// of registries write every name as it is, and a name has one spelling.
import type { Refusal } from '../../http/errors.ts'
import type { Access, Action } from '../../words/access.ts'
import { hexOfDigest, isDigest } from '../../words/digest.ts'
import type { Depth } from '../../words/tenant.ts'
import { EMPTY_OR_DOT_SEGMENT, pathFault } from '../chartmuseum/path.ts'
import { readQuery } from '../chartmuseum/query.ts'
import { isTag, readRepository, subjectOfTag, versionOfTag, type OciRepository } from './names.ts'
import {
  methodsOf, needOf, ociRouteOf, type OciFactRoute, type OciMethod, type OciRouteId
} from './routes.ts'

/** What names a manifest: its bytes, or what somebody has called them. */
export type OciReference =
  | { readonly kind: 'digest', readonly digest: string }
  | {
    readonly kind: 'tag'
    readonly tag: string
    /** the version of the chart; undefined: it is the tag of none */
    readonly version: string | undefined
  }
  | {
    /** what cosign calls by what it is attached to */
    readonly kind: 'attached'
    readonly tag: string
    /** SHA-256 of that manifest, in hex */
    readonly subject: string
  }

interface OfRepository {
  readonly method: OciMethod
  readonly repository: OciRepository
  /** The one right that it needs, on the repository's name. */
  readonly access: Access
}

/** A request of an endpoint of the table (routes.ts), understood. */
export type OciRequest =
  | { readonly route: 'oci-base', readonly method: OciMethod }
  | OfRepository & { readonly route: 'oci-manifest', readonly reference: OciReference }
  | OfRepository & { readonly route: 'oci-blob', readonly digest: string }
  | OfRepository & {
    readonly route: 'oci-uploads'
    /** What the body is, where all of it comes at once. */
    readonly digest?: string
    /** What is wanted of another repository; undefined inside: that was not to be read. */
    readonly mount?: { readonly digest: string | undefined, readonly from: OciRepository | undefined }
  }
  | OfRepository & {
    readonly route: 'oci-upload'
    readonly id: string
    /** What its place said of it when it was begun. */
    readonly state?: string
    /** What it is when it ends. */
    readonly digest?: string
  }
  | OfRepository & {
    readonly route: 'oci-tags'
    /** At most so many. */
    readonly n?: number
    /** Those behind this one. */
    readonly last?: string
  }
  | OfRepository & { readonly route: 'oci-referrers', readonly digest: string, readonly artifactType?: string }

/** A request that is about a chart: all but that for the base. */
export type OciChartRequest = Exclude<OciRequest, { readonly route: 'oci-base' }>

/** What the log, the audit log and the metrics say of a request about a chart. */
export interface OciFacts {
  readonly route: OciFactRoute
  readonly tenant: string
  readonly access: Access
  readonly chart: string
  readonly version?: string
  /** SHA-256 of the manifest or blob that it names, in hex. */
  readonly digest?: string
}

export function ociFactsOf (request: OciChartRequest): OciFacts {
  const { access, repository: { tenant, chart } } = request
  const facts = { route: ociFactRouteOf(request), tenant, access, chart }
  switch (request.route) {
    case 'oci-manifest': return { ...facts, ...namedBy(request.reference) }
    case 'oci-blob':
    case 'oci-referrers': return { ...facts, ...namedBy({ kind: 'digest', digest: request.digest }) }
    default: return facts
  }
}

function namedBy (reference: OciReference): Pick<OciFacts, 'version' | 'digest'> {
  if (reference.kind === 'tag') return { version: reference.version ?? reference.tag }
  if (reference.kind === 'attached') return { version: reference.tag }
  const hex = hexOfDigest(reference.digest)
  return hex === undefined ? {} : { digest: hex }
}

/** The endpoint; of a manifest that is put under a tag, by which a push is made, it is said apart. */
export function ociFactRouteOf (request: OciRequest): OciFactRoute {
  return isOciPush(request) ? 'oci-push' : request.route
}

function isOciPush (request: OciRequest): boolean {
  return request.route === 'oci-manifest' && request.access.action === 'push' && request.reference.kind === 'tag'
}

/**
 * True for what changes something when it is done: blobs and manifests that are sent before wait
 * for it. A manifest that is put by its digest is a change too, where it says that it is attached
 * to another one.
 */
export function isOciChange (request: OciRequest): boolean {
  if (request.route !== 'oci-manifest') return false
  const { access: { action }, reference: { kind } } = request
  return action === 'delete' || (action === 'push' && kind !== 'digest')
}

/** True for what of a push waits for its tag, and changes nothing yet, as far as its head says. */
export function isOciPreparation (request: OciRequest): boolean {
  return request.route !== 'oci-base' && request.access.action === 'push' && !isOciChange(request)
}

/** Where every path of a registry begins; it is at the root of a host always. */
export const OCI_ROOT = '/v2/'

/** True for the path of a registry; clients of old leave out the slash. */
export function isOciPath (path: string): boolean {
  return path.startsWith(OCI_ROOT) || path === '/v2'
}

type Read = OciRequest | Refusal

const UPLOAD_ID = /^[A-Za-z0-9_-]{1,128}$/
/** What stands in repositories' names, digests, tags and ids, and between them. */
const NO_OCI_PATH = /[^A-Za-z0-9._:+=/-]/
/** Of these two the specification has a slash at the end. */
const WITH_A_SLASH = /(?<=^\/v2|\/blobs\/uploads)\/$/

/**
 * @param path of a target for which isOciPath holds
 * @param query without its `?`
 */
export function parseOciTarget (method: string, path: string, query: string, depth: Depth): Read {
  if (NO_OCI_PATH.test(path)) {
    return { code: 'bad_target', detail: 'the path has a character that no name of a registry has' }
  }
  if (EMPTY_OR_DOT_SEGMENT.test(path.replace(WITH_A_SLASH, ''))) return { code: 'bad_target', detail: pathFault(path) }
  const segments = path.slice(OCI_ROOT.length).split('/')
  if (segments.length === 1 && segments[0] === '') return readBase(method)
  if (segments.length === 1 && segments[0] === '_catalog') return NO_CATALOG
  const found = findEndpoint(segments)
  if (found === undefined) return { code: 'no_such_route' }
  const { id, name, last } = found
  const repository = readRepository(name, depth)
  if ('code' in repository) return repository
  const route = ociRouteOf(id)
  const need = needOf(route, method)
  if (need === undefined) return { code: 'method_not_allowed', allow: methodsOf(route) }
  const access: Access = { type: 'repository', name: repository.name, action: need as Action }
  const of = { method: method as OciMethod, repository, access }
  return READERS[id](of, last, readQuery(query, route.query), depth)
}

const NO_CATALOG: Refusal = {
  code: 'oci_unsupported',
  detail: 'the repositories of this registry are not listed: ' +
    'ask for the tags of one, or add its tenant with helm repo add',
  allow: []
}

function readBase (method: string): Read {
  const route = ociRouteOf('oci-base')
  return needOf(route, method) === undefined
    ? { code: 'method_not_allowed', allow: methodsOf(route) }
    : { route: 'oci-base', method: method as OciMethod }
}

type NamedRoute = Exclude<OciRouteId, 'oci-base'>

interface FoundEndpoint {
  readonly id: NamedRoute
  readonly name: string
  /** The last segment: a reference, a digest, or the id of an upload. */
  readonly last: string
}

/**
 * Read from the end, because a name may have any of these words in it: what the last two
 * segments say is so, and the name is all before.
 */
function findEndpoint (segments: readonly string[]): FoundEndpoint | undefined {
  const [before, word, last] = [segments.at(-3), segments.at(-2), segments.at(-1) as string]
  const nameWithout = (count: number): string => segments.slice(0, -count).join('/')
  switch (word) {
    case 'manifests': return { id: 'oci-manifest', name: nameWithout(2), last }
    case 'blobs': return { id: 'oci-blob', name: nameWithout(2), last }
    case 'referrers': return { id: 'oci-referrers', name: nameWithout(2), last }
    case 'tags': return last === 'list' ? { id: 'oci-tags', name: nameWithout(2), last } : undefined
    case 'uploads':
      if (before !== 'blobs') return undefined
      return { id: last === '' ? 'oci-uploads' : 'oci-upload', name: nameWithout(3), last }
    default: return undefined
  }
}

type Query = Readonly<Record<string, string>>

const READERS: Readonly<Record<NamedRoute, (of: OfRepository, last: string, query: Query, depth: Depth) => Read>> = {
  'oci-manifest' (of, last) {
    const reference = readReference(last)
    return 'code' in reference ? reference : { ...of, route: 'oci-manifest', reference }
  },
  'oci-blob': (of, digest) => isDigest(digest) ? { ...of, route: 'oci-blob', digest } : DIGEST_INVALID,
  'oci-uploads' (of, _last, { digest, mount, from }, depth) {
    if (digest !== undefined && !isDigest(digest)) return DIGEST_INVALID
    return {
      ...of,
      route: 'oci-uploads',
      ...(digest === undefined ? {} : { digest }),
      ...(mount === undefined ? {} : { mount: readMount(mount, from, depth) })
    }
  },
  'oci-upload' (of, id, { digest, _state: state }) {
    if (!UPLOAD_ID.test(id)) return { code: 'oci_upload_unknown' }
    if (digest !== undefined && !isDigest(digest)) return DIGEST_INVALID
    return {
      ...of,
      route: 'oci-upload',
      id,
      ...(state === undefined ? {} : { state }),
      ...(digest === undefined ? {} : { digest })
    }
  },
  'oci-tags' (of, _last, { n, last }) {
    if (n !== undefined && !/^\d{1,9}$/.test(n)) {
      return { code: 'bad_request', detail: 'n is a whole number: how many tags are listed at most' }
    }
    return {
      ...of,
      route: 'oci-tags',
      ...(n === undefined ? {} : { n: Number(n) }),
      ...(last === undefined ? {} : { last })
    }
  },
  'oci-referrers' (of, digest, { artifactType }) {
    if (!isDigest(digest)) return DIGEST_INVALID
    return { ...of, route: 'oci-referrers', digest, ...(artifactType === undefined ? {} : { artifactType }) }
  }
}

const DIGEST_INVALID: Refusal = { code: 'oci_digest_invalid' }

function readReference (text: string): OciReference | Refusal {
  if (text.includes(':')) return isDigest(text) ? { kind: 'digest', digest: text } : DIGEST_INVALID
  if (!isTag(text)) return { code: 'oci_manifest_unknown' }
  const subject = subjectOfTag(text)
  return subject === undefined
    ? { kind: 'tag', tag: text, version: versionOfTag(text) }
    : { kind: 'attached', tag: text, subject }
}

/** What cannot be read is as good as what is not there: both are the same answer. */
function readMount (
  digest: string,
  from: string | undefined,
  depth: Depth
): { digest: string | undefined, from: OciRepository | undefined } {
  const repository = from === undefined ? undefined : readRepository(from, depth)
  return {
    digest: isDigest(digest) ? digest : undefined,
    from: repository === undefined || 'code' in repository ? undefined : repository
  }
}
