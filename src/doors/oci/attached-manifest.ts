// What does a manifest say that is attached to another one? Which one that is, if it says so
// itself, and which blobs it has, of whichever kind: a signature, an attestation, an SBOM
// (opencontainers/image-spec v1.1.1, manifest.md, `subject`). Nothing of them is looked into.
import { digestOfHex } from '../../words/digest.ts'
import { MANIFEST_TYPE, type Described } from './manifest.ts'
import { EMPTY_JSON, descriptorIn, isObject, jsonOf, manifestInvalid, type AnyManifest } from './read-manifest.ts'

export interface AttachedManifest {
  /** What it is attached to; undefined: it does not say it, and its tag does. */
  readonly subject: Described | undefined
  /** Each once, without the empty config, which every repository has. */
  readonly blobs: readonly Described[]
}

/** As many as may wait in a repository: more cannot come in one push. */
export const MOST_BLOBS = 256

/** True for a manifest that says of itself that it is attached to another one. */
export function hasSubject ({ subject }: AnyManifest): boolean {
  return subject !== undefined
}

/** @throws RefusalError with a sentence about what is wrong */
export function attachedIn ({ subject, config, layers, artifactType, annotations }: AnyManifest): AttachedManifest {
  if (!Array.isArray(layers)) throw manifestInvalid('the manifest has no list of layers')
  if (artifactType !== undefined && typeof artifactType !== 'string') throw manifestInvalid('artifactType is no text')
  if (annotations !== undefined && !isTexts(annotations)) throw manifestInvalid('the annotations are no texts')
  const all = [descriptorIn(config, 'config'), ...layers.map((layer: unknown) => descriptorIn(layer, 'layer'))]
  return {
    subject: subject === undefined ? undefined : described(descriptorIn(subject, 'subject')),
    blobs: blobsOf(all.map(described))
  }
}

function described ({ hex, size }: Described): Described {
  return { hex, size }
}

function blobsOf (all: readonly Described[]): Described[] {
  const sizes = new Map<string, number>([[EMPTY_JSON.hex, EMPTY_JSON.bytes.length]])
  for (const { hex, size } of all) {
    if ((sizes.get(hex) ?? size) !== size) throw manifestInvalid(`the manifest says two sizes of ${digestOfHex(hex)}`)
    sizes.set(hex, size)
  }
  sizes.delete(EMPTY_JSON.hex)
  if (sizes.size > MOST_BLOBS) throw manifestInvalid(`what is attached has at most ${MOST_BLOBS} blobs`)
  return [...sizes].map(([hex, size]) => ({ hex, size }))
}

function isTexts (value: unknown): boolean {
  return isObject(value) && Object.values(value).every(each => typeof each === 'string')
}

/** How a list of what is attached names a manifest (distribution-spec v1.1.1, "Listing Referrers"). */
export interface ReferrerDescriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly artifactType: string
  readonly annotations?: object
}

/** @param bytes of a manifest that was taken @param hex their SHA-256 */
export function referrerOf (bytes: Buffer, hex: string): ReferrerDescriptor {
  const { artifactType = '', config, annotations } = jsonOf(bytes.toString('utf8')) as {
    readonly artifactType?: string
    readonly config: { readonly mediaType: string }
    readonly annotations?: object
  }
  return {
    mediaType: MANIFEST_TYPE,
    digest: digestOfHex(hex),
    size: bytes.length,
    artifactType: artifactType === '' ? config.mediaType : artifactType,
    ...(annotations === undefined ? {} : { annotations })
  }
}
