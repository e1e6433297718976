// What a pull of oci:// is made of: the manifest by its tag and by its digest, the archive
// and the list of tags, each asked for on its own, beside a registry that does nothing else.
import { startChartMuseum } from '../lab/chartmuseum.ts'
import { smallVersions } from '../lab/charts.ts'
import { startGateway, startInFront } from '../lab/gateway.ts'
import { asRegistry, copyTags, startRegistry } from '../lab/registry.ts'
import { TENANT, type MaybeServer, type Server } from '../lab/server.ts'
import { get } from '../load/answer.ts'
import { asking, type Ask } from '../load/contestants.ts'
import { exactly, tagsOf } from '../load/expectations.ts'
import { digestOfBytes, manifestIn, MANIFEST_TYPE } from '../../test/helpers/oci.ts'
import type { Goal, Scenario } from '../scenario.ts'

const REGISTRY = "distribution's registry"
const GATEWAY = 'chartgate'
const EMBEDDED = `${GATEWAY}, embedded repository`
const PARTS = ['manifest by tag', 'manifest by digest', 'archive', 'tags'] as const
const NAME = `${TENANT}/mychart`
const VERSIONS = 20
const TAG = '0.1.0'

type Part = typeof PARTS[number]

export const ociPull: Scenario = {
  name: 'oci-pull',
  title: 'what a pull of oci:// asks for, 32 connections',
  goals: PARTS.map((part): Goal => ({ measured: `${GATEWAY}: ${part}`, against: `${REGISTRY}: ${part}`, unit: '×', at: 'least', bound: 1 })),
  async open (lab) {
    const charts = smallVersions(VERSIONS)
    const upstream = await startChartMuseum(lab, { charts, auth: 'bearer', place: 'beside' })
    const embedded = asRegistry(lab, await startGateway(lab, { charts }), NAME) as Server
    const registry = await startRegistry(lab, NAME)
    const servers: [string, MaybeServer][] = [
      [REGISTRY, registry],
      [GATEWAY, asRegistry(lab, await startInFront(lab, upstream), NAME)],
      [EMBEDDED, embedded]
    ]
    const tags = Array.from({ length: VERSIONS }, (_, i) => `0.${i + 1}.0`)
    if (!('missing' in registry)) await copyTags(embedded, registry, NAME, tags)
    const asks = await asksOf(embedded, tags)
    return PARTS.flatMap(part => servers.map(([who, server]) => asking(lab, `${who}: ${part}`, server, asks[part])))
  }
}

/** Every part, and what it has to be: as the embedded repository has it, which is the same everywhere. */
async function asksOf (server: Server, tags: readonly string[]): Promise<Record<Part, Ask>> {
  const authorization = await server.authorization() as string
  const headers = { accept: MANIFEST_TYPE }
  const ask = async (path: string): Promise<Buffer> => (await get(`${server.origin}/v2/${NAME}/${path}`, { authorization, ...headers })).body
  const manifest = await ask(`manifests/${TAG}`)
  const archive = manifestIn({ bytes: manifest }).layers[0]?.digest as string
  return {
    'manifest by tag': { path: `/v2/${NAME}/manifests/${TAG}`, headers, expect: exactly(manifest) },
    'manifest by digest': { path: `/v2/${NAME}/manifests/${digestOfBytes(manifest)}`, headers, expect: exactly(manifest) },
    archive: { path: `/v2/${NAME}/blobs/${archive}`, expect: exactly(await ask(`blobs/${archive}`)) },
    tags: { path: `/v2/${NAME}/tags/list`, expect: tagsOf(tags) }
  }
}
