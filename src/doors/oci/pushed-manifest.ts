// What does a manifest say that is pushed? Which blobs are the config, the archive and the
// provenance of one version of a chart, in the form that Helm writes (helm/helm v3.21.4,
// pkg/registry/client.go, Push) or oras with Helm's media types. Anything else is no chart,
// and is not taken.
import { RefusalError } from '../../http/errors.ts'
import { hasRivalKeys } from '../../lib/json-keys.ts'
import { inQuotes } from '../../lib/printable.ts'
import { utf8Of } from '../../lib/utf8.ts'
import { hexOfDigest, isDigest } from '../../words/digest.ts'
import { ARCHIVE_TYPE, CONFIG_TYPE, MANIFEST_TYPE, PROVENANCE_TYPE, type Described } from './manifest.ts'

export interface PushedManifest {
  readonly config: Described
  readonly archive: Described
  readonly provenance?: Described
}

/** The specification asks for so many bytes at least (distribution-spec v1.1.1, "Pushing Manifests"). */
export const LONGEST_MANIFEST = 4 * 1024 * 1024

/** `{}`, which clients push where there is no config (image-spec v1.1.1, "Guidance for an Empty Descriptor"). */
export const EMPTY_JSON = {
  hex: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
  bytes: Buffer.from('{}')
} as const

/** @throws RefusalError with a sentence about what is wrong */
export function readPushedManifest (bytes: Buffer, contentType: string): PushedManifest {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== MANIFEST_TYPE) throw manifestInvalid(`a chart is pushed as ${MANIFEST_TYPE}, and nothing else is taken`)
  const { schemaVersion, mediaType, config, layers, subject } = objectIn(bytes)
  if (schemaVersion !== 2 || (mediaType !== undefined && mediaType !== MANIFEST_TYPE)) {
    throw manifestInvalid('the manifest is none of an OCI image, schema version 2')
  }
  if (subject !== undefined) {
    throw manifestInvalid('the manifest is attached to another one, and charts alone are taken here')
  }
  if (!Array.isArray(layers)) throw manifestInvalid('the manifest has no list of layers')
  return { config: configOf(config), ...partsOf(layers.map((layer: unknown) => describedBy(layer, 'layer'))) }
}

/** @throws RefusalError for what readers do not read in one way */
function objectIn (bytes: Buffer): Readonly<Record<string, unknown>> {
  const text = utf8Of(bytes) ?? ''
  const manifest = jsonOf(text)
  if (isObject(manifest) && !hasRivalKeys(text)) return manifest
  throw manifestInvalid('the manifest is no JSON object that all readers read in one way')
}

interface Layer extends Described { readonly mediaType: string }

/** @throws RefusalError for layers that are not those of a chart */
function partsOf (layers: readonly Layer[]): Pick<PushedManifest, 'archive' | 'provenance'> {
  const ofType = (type: string): Layer[] => layers.filter(({ mediaType }) => mediaType === type)
  const [archives, provenances] = [ofType(ARCHIVE_TYPE), ofType(PROVENANCE_TYPE)]
  const foreign = layers.find(layer => !archives.includes(layer) && !provenances.includes(layer))
  if (foreign !== undefined) {
    const shown = inQuotes(foreign.mediaType, LONGEST_SHOWN)
    throw manifestInvalid(`a layer is ${shown}, and charts alone are taken here: push with helm, or as ${ARCHIVE_TYPE}`)
  }
  const [[archive, ...others], [provenance, ...more]] = [archives, provenances]
  if (archive === undefined || others.length > 0 || more.length > 0) {
    throw manifestInvalid('a chart is one archive, with one provenance file at most')
  }
  return { archive, ...(provenance === undefined ? {} : { provenance }) }
}

const LONGEST_SHOWN = 100

interface ChartIdentity {
  readonly name: string
  readonly version: string
}

/**
 * What a config says of the chart has to be its name and version; all else of it is not looked
 * at, and given to who asks for this digest alone.
 * @throws RefusalError when it says something else
 */
export function checkConfig (bytes: Buffer, { name, version }: ChartIdentity): void {
  if (bytes.equals(EMPTY_JSON.bytes)) return
  const config = jsonOf(bytes.toString('utf8'))
  if (isObject(config) && config['name'] === name && config['version'] === version) return
  throw manifestInvalid(`the config says another name or version than the archive, which is ${name} ${version}`)
}

function configOf (config: unknown): Described {
  const described = describedBy(config, 'config')
  if (described.mediaType !== CONFIG_TYPE && described.hex !== EMPTY_JSON.hex) {
    throw manifestInvalid(`the config of a chart is ${CONFIG_TYPE}, or empty`)
  }
  return described
}

function jsonOf (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function describedBy (value: unknown, what: string): Layer {
  const { mediaType, digest, size, urls } = isObject(value) ? value : {} as Readonly<Record<string, unknown>>
  if (urls !== undefined) throw manifestInvalid(`the ${what} is elsewhere (urls), and all of a chart is pushed here`)
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || !isDigest(digest)) {
    throw manifestInvalid(`the ${what} has no media type or no digest`)
  }
  const hex = hexOfDigest(digest)
  if (hex === undefined) throw manifestInvalid(`the ${what} is named by another digest than sha256`)
  if (!Number.isSafeInteger(size) || (size as number) < 0) throw manifestInvalid(`the ${what} has no size`)
  return { mediaType, hex, size: size as number }
}

function isObject (value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What is pushed is no chart, and why. */
export function manifestInvalid (detail: string): RefusalError {
  return new RefusalError({ code: 'oci_manifest_invalid', detail })
}
