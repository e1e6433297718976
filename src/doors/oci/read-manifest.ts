// What stands in a manifest, whatever it is of? One JSON object of the one media type that is
// taken, that all readers read in one way, and the descriptors in it (opencontainers/image-spec
// v1.1.1, manifest.md and descriptor.md).
import { RefusalError } from '../../http/errors.ts'
import { hasRivalKeys } from '../../lib/json-keys.ts'
import { utf8Of } from '../../lib/utf8.ts'
import { hexOfDigest, isDigest } from '../../words/digest.ts'
import { MANIFEST_TYPE, type Described } from './manifest.ts'

/** The members of a manifest, of which nothing is known yet. */
export type AnyManifest = Readonly<Record<string, unknown>>

/** The specification asks for so many bytes at least (distribution-spec v1.1.1, "Pushing Manifests"). */
export const LONGEST_MANIFEST = 4 * 1024 * 1024

/** `{}`, which clients push where there is no config (image-spec v1.1.1, "Guidance for an Empty Descriptor"). */
export const EMPTY_JSON = {
  hex: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
  bytes: Buffer.from('{}')
} as const

export interface Descriptor extends Described { readonly mediaType: string }

/** @throws RefusalError with a sentence about what is wrong */
export function readManifest (bytes: Buffer, contentType: string): AnyManifest {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== MANIFEST_TYPE) throw manifestInvalid(`a chart is pushed as ${MANIFEST_TYPE}, and nothing else is taken`)
  const text = utf8Of(bytes) ?? ''
  const manifest = jsonOf(text)
  if (!isObject(manifest) || hasRivalKeys(text)) {
    throw manifestInvalid('the manifest is no JSON object that all readers read in one way')
  }
  const { schemaVersion, mediaType } = manifest
  if (schemaVersion !== 2 || (mediaType !== undefined && mediaType !== MANIFEST_TYPE)) {
    throw manifestInvalid('the manifest is none of an OCI image, schema version 2')
  }
  return manifest
}

/** @param what it is, for the sentence @throws RefusalError for what is none */
export function descriptorIn (value: unknown, what: string): Descriptor {
  const { mediaType, digest, size, urls } = isObject(value) ? value : {} as AnyManifest
  if (urls !== undefined) throw manifestInvalid(`the ${what} is elsewhere (urls), and all of it is pushed here`)
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || !isDigest(digest)) {
    throw manifestInvalid(`the ${what} has no media type or no digest`)
  }
  const hex = hexOfDigest(digest)
  if (hex === undefined) throw manifestInvalid(`the ${what} is named by another digest than sha256`)
  if (!Number.isSafeInteger(size) || (size as number) < 0) throw manifestInvalid(`the ${what} has no size`)
  return { mediaType, hex, size: size as number }
}

/** What a manifest names, in hex; undefined for what is none. */
export function namedIn (manifest: Buffer): string[] | undefined {
  const value = jsonOf(manifest.toString('utf8'))
  const { config, layers } = isObject(value) ? value : {} as AnyManifest
  if (!isObject(config) || !Array.isArray(layers) || !layers.every(isObject)) return undefined
  const digests = [config, ...layers].map(({ digest }) => String(digest))
  return digests.filter(isDigest).flatMap(digest => hexOfDigest(digest) ?? [])
}

/** The value of a JSON text; undefined for what is none. */
export function jsonOf (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function isObject (value: unknown): value is AnyManifest {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What is pushed is not taken, and why. */
export function manifestInvalid (detail: string): RefusalError {
  return new RefusalError({ code: 'oci_manifest_invalid', detail })
}
