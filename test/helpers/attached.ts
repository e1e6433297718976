// What is attached to charts: a registry where nothing is, and how clients attach and list it.
import type { ReferrerDescriptor } from '../../src/doors/oci/attached-manifest.ts'
import type { Attached } from '../../src/doors/oci/attached.ts'
import { descriptorOf, digestOfBytes, MANIFEST_TYPE, pushBlob, putManifest, type AskOci, type OciAnswer, type OciPush } from './oci.ts'

export const NOTHING_ATTACHED: Attached = {
  named: async () => [],
  manifest: async () => undefined,
  blob: async () => undefined,
  referrers: async () => []
}

/** Something that is attached to a manifest, as oras attach writes it. */
export interface AttachmentParts {
  /** Whose; left out: its tag says it, as cosign's does. */
  readonly subject?: Pick<OciPush, 'digest' | 'manifest'>
  readonly blobs?: readonly Buffer[]
  readonly artifactType?: string
  readonly config?: { readonly type: string, readonly bytes: Buffer }
  readonly annotations?: Readonly<Record<string, string>>
}

const EMPTY = { type: 'application/vnd.oci.empty.v1+json', bytes: Buffer.from('{}') }

export function attachmentOf ({ subject, blobs = [], artifactType, config = EMPTY, annotations }: AttachmentParts): OciPush {
  const manifest = Buffer.from(JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType,
    config: descriptorOf(config.type, config.bytes),
    layers: blobs.map(blob => descriptorOf('application/octet-stream', blob)),
    ...(subject === undefined ? {} : { subject: { mediaType: MANIFEST_TYPE, digest: subject.digest, size: subject.manifest.length } }),
    annotations
  }))
  return { manifest, blobs: [...(config === EMPTY ? [] : [config.bytes]), ...blobs], digest: digestOfBytes(manifest) }
}

/** Pushes what is attached, under cosign's tag or by its digest; gives the last answer. */
export async function attach (ask: AskOci, name: string, { manifest, blobs, digest }: OciPush, reference = digest): Promise<OciAnswer> {
  for (const blob of blobs) {
    if ((await ask(`${name}/blobs/${digestOfBytes(blob)}`, { method: 'HEAD' })).status === 200) continue
    const pushed = await pushBlob(ask, name, blob)
    if (pushed.status !== 201) return pushed
  }
  return await putManifest(ask, name, reference, manifest)
}

/** What is listed of a manifest. */
export async function referrersOf (ask: AskOci, name: string, digest: string, query = ''): Promise<ReferrerDescriptor[]> {
  const { status, headers, bytes } = await ask(`${name}/referrers/${digest}${query}`)
  if (status !== 200 || headers['content-type'] !== 'application/vnd.oci.image.index.v1+json') throw new Error(`the referrers of ${digest} are answered with ${status}`)
  return (JSON.parse(bytes.toString()) as { manifests: ReferrerDescriptor[] }).manifests
}

/** cosign's tag. */
export function cosignTag (digest: string, kind: 'sig' | 'att' | 'sbom'): string {
  return `${digest.replace(':', '-')}.${kind}`
}
