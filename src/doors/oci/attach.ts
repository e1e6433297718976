// How is something attached to a chart? Its blobs wait as those of every push; its manifest says,
// or cosign's tag does, to which manifest it belongs, and that has to be one of this repository's.
// With that it is kept, as one file, within what a chart and a tenant may have. Of what is attached
// nothing is looked into.
import { digestOfHex } from '../../words/digest.ts'
import { RefusalError, isRefusal } from '../../http/errors.ts'
import type { Locks } from '../../lib/locks.ts'
import type { UploadFacts } from '../../observe/outcome.ts'
import { toItsEnd, type Asker } from '../../upstream/asker.ts'
import { diskRefusalOf } from '../../uploads/spool.ts'
import { attachedIn, type AttachedManifest } from './attached-manifest.ts'
import type { AttachmentHead } from './attachment-file.ts'
import type { Attached } from './attached.ts'
import { MOST_DIGESTS, type Attachments } from './attachments.ts'
import { contentOf } from './entry.ts'
import type { Described } from './manifest.ts'
import type { OciRepository } from './names.ts'
import type { Puller } from './pull.ts'
import type { IncomingManifest } from './push.ts'
import { createPushedBlobs } from './pushed-blobs.ts'
import { LONGEST_MANIFEST, manifestInvalid } from './read-manifest.ts'
import type { OciReference } from './request.ts'
import type { Waiting } from './waiting.ts'

export interface IncomingAttachment extends IncomingManifest {
  /** A digest, or cosign's tag. */
  readonly reference: Exclude<OciReference, { readonly kind: 'tag' }>
  /** Hears what is about to be attached. @throws RefusalError when it may not be */
  found (facts: UploadFacts): Promise<void>
}

/** What was attached; digests are SHA-256, in hex. */
export interface AttachedFacts {
  readonly hex: string
  /** What its own manifest says that it is attached to. */
  readonly subject: string | undefined
}

export interface Attacher {
  /**
   * Once more the same is a success; under cosign's tag it takes the place of what was there.
   * @throws RefusalError when it may not be taken, names what was not pushed, or is attached to nothing here
   */
  attach (incoming: IncomingAttachment): Promise<AttachedFacts>
}

export interface AttachmentBounds {
  /** How many a chart may have; 0: none are taken. */
  readonly perChart: number
  /** Bytes of all that a tenant has. */
  readonly maxBytes: number
}

export interface AttacherParts {
  readonly waiting: Waiting
  readonly puller: Puller
  readonly attached: Attached
  readonly attachments: Attachments
  readonly locks: Locks
  /** As they are now; undefined: there are several replicas, which have no folder in common. */
  readonly bounds: () => AttachmentBounds | undefined
}

/** The version that a manifest is of, and what of it is the same for all that is attached to it. */
interface Subject extends Pick<AttachmentHead, 'subject' | 'isNested' | 'version' | 'archive'> {
  /** Bytes of its manifest. */
  readonly size: number
}

/** One that is to be kept. */
interface Candidate {
  readonly incoming: IncomingAttachment
  readonly name: string
  readonly head: AttachmentHead
  /** Bytes of it all. */
  readonly bytes: number
}

export function createAttacher ({ waiting, puller, attached, attachments, locks, bounds }: AttacherParts): Attacher {
  const blobs = createPushedBlobs(waiting, puller)

  /** @throws RefusalError where nothing is taken */
  function boundsNow (): AttachmentBounds {
    const now = bounds()
    if (now === undefined) throw unsupported(REPLICAS)
    if (now.perChart === 0) throw unsupported(SWITCHED_OFF)
    return now
  }

  /** @throws RefusalError when a manifest is none of this repository */
  async function subjectOf (repository: OciRepository, hex: string, asker: Asker): Promise<Subject> {
    const reference = { kind: 'digest', digest: digestOfHex(hex) } as const
    // A chart's comes first: it may be attached to something, too, and what is attached to it is not to go with that.
    const found = await puller.manifest(repository, reference, asker).catch((error: unknown) => {
      if (isRefusal(error, 'oci_manifest_unknown')) return undefined
      throw error
    })
    if (found?.version !== undefined) {
      const { bytes, version: { version, archive } } = found
      return { subject: hex, isNested: false, version, archive, size: bytes.length }
    }
    const [beside] = await attached.named(repository, reference, asker)
    if (beside === undefined) throw notHere(repository, hex)
    const { version, archive, manifest: { size } } = beside
    return { subject: hex, isNested: true, version, archive, size }
  }

  /** What is to be kept. @throws RefusalError for what is not right */
  async function understand (incoming: IncomingAttachment, manifest: AttachedManifest): Promise<Candidate> {
    const { repository, reference, bytes, asker } = incoming
    const { hex } = contentOf(bytes)
    if (reference.kind === 'digest' && reference.digest !== digestOfHex(hex)) {
      throw new RefusalError({ code: 'oci_digest_mismatch' })
    }
    const { size, ...subject } = await subjectOf(repository, subjectHexOf(reference, manifest), asker)
    if (manifest.subject !== undefined && manifest.subject.size !== size) {
      throw manifestInvalid(`the manifest says that its subject has ${manifest.subject.size} bytes, and it has ${size}`)
    }
    await blobs.check(repository, manifest.blobs, asker)
    const own = { hex, size: bytes.length }
    return {
      incoming,
      name: reference.kind === 'digest' ? hex : reference.tag,
      head: { ...subject, isReferrer: manifest.subject !== undefined, manifest: own, blobs: manifest.blobs },
      bytes: sizeOf([own, ...manifest.blobs])
    }
  }

  async function isKept ({ incoming: { repository }, name, head }: Candidate): Promise<boolean> {
    const all = await attachments.of(repository)
    return all.some(each => each.name === name && each.manifest.hex === head.manifest.hex)
  }

  async function keep (candidate: Candidate): Promise<void> {
    const { incoming: { repository, asker, bytes }, name, head } = candidate
    const { maxBytes } = boundsNow()
    if (candidate.bytes > maxBytes) throw tenantFull(repository, maxBytes)
    const held = await blobs.hold(repository, head.blobs, asker)
    try {
      // No file has such a name: nobody waits for it but who attaches something to a chart of this tenant.
      await locks.hold(`${repository.tenant}/*`, async () => {
        await checkRoom(candidate)
        await attachments.put(repository, name, head, bytes, held).catch((error: unknown) => {
          throw diskRefusalOf(error)
        })
      })
    } finally {
      for (const file of held) await file.remove()
    }
    await attachments.remove(repository, () => false) // what was attached to the one whose tag it took
    await checkStill(candidate)
  }

  /** @throws RefusalError when a chart, a manifest or a tenant would have more than it may */
  async function checkRoom ({ incoming: { repository }, name, head, bytes }: Candidate): Promise<void> {
    const { perChart, maxBytes } = boundsNow()
    const all = await attachments.of(repository)
    const [replaced] = all.filter(each => each.name === name)
    const others = all.filter(each => each !== replaced)
    if (others.length >= perChart) {
      throw full(`${repository.chart} has ${all.length} of them, ` +
        `and ${perChart} is the most (oci.attachments.perChart)`)
    }
    const digests = [head, ...others].reduce((sum, { blobs }) => sum + 1 + blobs.length, 0)
    if (digests > MOST_DIGESTS) {
      throw full(`all that is attached to ${repository.chart} would be ${digests} manifests and blobs, ` +
        `and ${MOST_DIGESTS} is the most`)
    }
    const beside = others.filter(({ subject }) => subject === head.subject).map(({ manifest }) => manifest)
    if (sizeOf([head.manifest, ...beside]) > LONGEST_MANIFEST) {
      throw full(`the manifests of those that are attached to ${digestOfHex(head.subject)} have 4 MiB together`)
    }
    const used = await attachments.bytesOfTenant(repository) - (replaced?.bytes ?? 0)
    if (used + bytes > maxBytes) throw tenantFull(repository, maxBytes)
  }

  /** @throws RefusalError when what it is attached to went meanwhile; then it has gone too */
  async function checkStill ({ incoming: { repository, asker }, name, head }: Candidate): Promise<void> {
    try {
      await subjectOf(repository, head.subject, toItsEnd(asker))
    } catch (error) {
      if (!isRefusal(error, 'oci_manifest_invalid')) return // nobody can say; who reads it looks again
      await attachments.remove(repository, each => each.name === name && each.manifest.hex === head.manifest.hex)
      throw error
    }
  }

  return {
    async attach (incoming) {
      const manifest = attachedIn(incoming.manifest)
      boundsNow()
      const candidate = await understand(incoming, manifest)
      await incoming.found(factsOf(candidate))
      if (!await isKept(candidate)) await keep(candidate)
      // Of what is refused the blobs wait on: they may be those of a chart, too, whose tag is still to come.
      for (const { hex } of manifest.blobs) await waiting.remove(incoming.repository, 'blob', hex)
      return { hex: candidate.head.manifest.hex, subject: manifest.subject?.hex }
    }
  }
}

/** What it is attached to. @throws RefusalError where the tag says one thing and the manifest another */
function subjectHexOf (reference: IncomingAttachment['reference'], { subject }: AttachedManifest): string {
  if (reference.kind === 'digest') return (subject as Described).hex // by it it is known to be attached
  if (subject === undefined || subject.hex === reference.subject) return reference.subject
  throw manifestInvalid(`the manifest is attached to ${digestOfHex(subject.hex)}, and its tag says another one`)
}

function factsOf ({ incoming: { repository: { chart } }, head, bytes }: Candidate): UploadFacts {
  const { version, manifest, subject: attachedTo } = head
  return { chart, version, digest: manifest.hex, bytes, provenance: undefined, attachedTo }
}

function sizeOf (all: readonly Described[]): number {
  return all.reduce((sum, { size }) => sum + size, 0)
}

const REPLICAS = 'several replicas have no folder in common in which a signature or an SBOM could be kept: ' +
  'keep it in a registry for them (cosign: COSIGN_REPOSITORY), or run one replica without redis.url'
const SWITCHED_OFF = 'nothing is attached to charts here: oci.attachments.perChart is 0'

function unsupported (detail: string): RefusalError {
  return new RefusalError({ code: 'oci_unsupported', detail, allow: [] })
}

function notHere ({ chart }: OciRepository, hex: string): RefusalError {
  return manifestInvalid(`${digestOfHex(hex)} is no manifest of ${chart} that is stored: ` +
    'push the chart first, then what is attached to it')
}

function full (why: string): RefusalError {
  const detail = `no more is attached here: ${why}. Delete what nobody needs (oras manifest delete)`
  return new RefusalError({ code: 'oci_attachments_full', detail })
}

function tenantFull ({ tenant }: OciRepository, maxBytes: number): RefusalError {
  return full(`all that is attached to charts of ${tenant} may have ${maxBytes} bytes (oci.attachments.maxBytes)`)
}
