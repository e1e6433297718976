// What is the manifest of a chart? One canonical form, as Helm writes it but for the time at
// which somebody packed the file: a pure function of archive and provenance, so that every
// process, before and after every restart, gives the same digest (helm/helm v3.21.4,
// pkg/registry/client.go, Push, and util.go, generateOCIAnnotations).
import { compareBytes, goJsonString } from '../../lib/go-string.ts'
import { digestOfHex } from '../../words/digest.ts'
import { contentOf, type ContentBytes, type ListedVersion } from './entry.ts'

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'
export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json'
export const CONFIG_TYPE = 'application/vnd.cncf.helm.config.v1+json'
export const ARCHIVE_TYPE = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip'
export const PROVENANCE_TYPE = 'application/vnd.cncf.helm.chart.provenance.v1.prov'

/** What a descriptor says of content: SHA-256 in hex, and bytes. */
export interface Described {
  readonly hex: string
  readonly size: number
}

/** @param archive as it is stored @param provenance that lies beside it, if one does */
export function canonicalManifest (
  { config, metadata }: Pick<ListedVersion, 'config' | 'metadata'>,
  archive: Described,
  provenance: Described | undefined
): ContentBytes {
  const layers = [
    { type: ARCHIVE_TYPE, ...archive },
    ...(provenance === undefined ? [] : [{ type: PROVENANCE_TYPE, ...provenance }])
  ].sort((one, other) => one.hex < other.hex ? -1 : 1)
  const described = layers.map(({ type, ...layer }) => descriptor(type, layer)).join(',')
  const ofConfig = descriptor(CONFIG_TYPE, { hex: config.hex, size: config.bytes.length })
  const annotations = goObject(annotationsOf(metadata))
  return contentOf(Buffer.from(
    `{"schemaVersion":2,"config":${ofConfig},"layers":[${described}],"annotations":${annotations}}`
  ))
}

function descriptor (type: string, { hex, size }: Described): string {
  return `{"mediaType":"${type}","digest":"${digestOfHex(hex)}","size":${size}}`
}

type Annotations = ReadonlyMap<string, string>

const PREFIX = 'org.opencontainers.image.'

/** Those that Helm makes of the metadata, and then the chart's own, of which only title and version yield. */
function annotationsOf (metadata: ListedVersion['metadata']): Annotations {
  const { description, name, version, home, sources, maintainers, annotations } = metadata
  const made = new Map<string, string>()
  const put = (key: string, value: unknown): void => {
    if (typeof value === 'string' && value.trim() !== '') made.set(PREFIX + key, value)
  }
  put('description', description)
  put('title', name)
  put('version', version)
  put('url', home)
  put('source', Array.isArray(sources) ? sources[0] : undefined)
  put('authors', Array.isArray(maintainers) ? maintainers.map(authorOf).join(', ') : undefined)
  for (const [key, value] of Object.entries((annotations ?? {}) as Record<string, unknown>)) {
    if (key === `${PREFIX}title` || key === `${PREFIX}version` || typeof value !== 'string') continue
    made.set(key, value)
  }
  return made
}

function authorOf (maintainer: unknown): string {
  const { name, email } = (maintainer ?? {}) as { readonly name?: unknown, readonly email?: unknown }
  const address = typeof email === 'string' && email !== '' ? ` (${email})` : ''
  return (typeof name === 'string' ? name : '') + address
}

/** As Go writes a map: by its keys' bytes (encoding/json, mapEncoder). */
function goObject (entries: Annotations): string {
  const sorted = [...entries].sort(([one], [other]) => compareBytes(one, other))
  return `{${sorted.map(([key, value]) => `${goJsonString(key)}:${goJsonString(value)}`).join(',')}}`
}

/** What a manifest of Helm's says, as far as it is looked at. */
interface ReadManifest {
  readonly config: { readonly digest?: unknown }
  readonly layers: readonly { readonly mediaType?: unknown, readonly digest?: unknown }[]
}

interface StoredFacts extends Pick<ListedVersion, 'archive' | 'config'> {
  readonly provenance: ContentBytes | undefined
}

/**
 * True for a pushed manifest that says of a version what the repository does: it names the stored
 * archive, its metadata, and the provenance that lies beside it, if one does.
 */
export function isManifestOf (manifest: Buffer, { archive, config, provenance }: StoredFacts): boolean {
  const { config: named, layers } = JSON.parse(manifest.toString('utf8')) as ReadManifest // as it was pushed
  const isNamed = (type: string, hex: string | undefined): boolean => {
    const digests = layers.filter(({ mediaType }) => mediaType === type).map(({ digest }) => digest)
    return hex === undefined ? digests.length === 0 : digests.length === 1 && digests[0] === digestOfHex(hex)
  }
  return named.digest === digestOfHex(config.hex) &&
    isNamed(ARCHIVE_TYPE, archive) && isNamed(PROVENANCE_TYPE, provenance?.hex)
}
