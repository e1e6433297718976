// How is a version deleted in the upstream? ChartMuseum takes name and version for a file
// name, and removes whatever is in it (v0.16.5, pkg/chartmuseum/server/multitenant/api.go,
// deleteChartVersion). Here what is named goes, and nothing else: under the lock of the
// file it is looked at first.
import type { IncomingHttpHeaders } from 'node:http'
import type { ChartRequest } from '../chartmuseum/chart-request.ts'
import { RefusalError, isRefusal } from '../http/errors.ts'
import { responseHeaders } from '../http/headers.ts'
import type { Locks } from '../lib/locks.ts'
import { causeOfAnswer, isPage, refusalOfAnswer } from './answers.ts'
import type { Asker } from './asker.ts'
import type { Upstreams } from './upstreams.ts'
import {
  askFor, compareFile, fileOfVersion, findVersion, lockOfFile, type FoundVersion, type OtherVersion, type TenantPlace
} from './stored.ts'
import { upstreamTarget } from '../chartmuseum/upstream-target.ts'

/** What the upstream says of it. */
export interface Removed {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Remover {
  /**
   * Deletes the version that the request names.
   * @param sending is called before anything is sent that changes something
   * @param archive SHA-256 in hex, which it has to have; undefined: whichever
   * @throws RefusalError when it is not there, or the upstream refuses or cannot be reached
   */
  remove (request: ChartRequest, caller: Asker, sending: () => void, archive?: string): Promise<Removed>
}

/** One tenant, as somebody deletes there. */
interface RemovePlace extends TenantPlace {
  sending (): void
}

/** @param basePath the path of publicUrl, in front of every path that a client is told */
export function createRemover (upstreams: Upstreams, locks: Locks, basePath: string): Remover {
  return {
    async remove ({ tenant, tenantPath, chart, version }, caller, sending, archive) {
      const place: RemovePlace = { upstream: upstreams.of(tenant), tenant, tenantPath, caller, sending }
      const [name, exact] = [chart as string, version as string] // the route has both
      const named = fileOfVersion(name, exact)
      const removed = await locks.hold(lockOfFile(tenant, named), async () => {
        await checkArchive(place, named, archive)
        return await removeNamed(place, name, exact, basePath)
      })
      if (!('elsewhere' in removed)) return removed
      return await locks.hold(lockOfFile(tenant, removed.elsewhere), async () => {
        await checkArchive(place, removed.elsewhere, archive)
        return await removeElsewhere(place, name, exact, removed.elsewhere)
      })
    }
  }
}

/** Removes a chart's file and its provenance, whatever they hold. @throws RefusalError when they are not removed */
export async function removeFiles (place: TenantPlace, name: string, version: string): Promise<Removed> {
  const { statusCode, headers, text } = await askFor(place, { route: 'delete-version', chart: name, version }, 'DELETE')
  if (statusCode === 200 && !isPage(headers)) return { headers: responseHeaders(headers), body: text }
  throw new RefusalError(refusalOfAnswer(statusCode, text), { cause: causeOfAnswer(statusCode) })
}

/** @throws RefusalError when the file has other bytes: somebody has stored them since it was looked at */
async function checkArchive (place: TenantPlace, file: string, digest: string | undefined): Promise<void> {
  if (digest === undefined || await compareFile(place, file, { size: Infinity, digest }) !== 'other') return
  throw new RefusalError({ code: 'not_in_upstream' })
}

type Elsewhere = Required<Pick<FoundVersion, 'elsewhere'>>

async function removeNamed (
  place: RemovePlace,
  name: string,
  version: string,
  basePath: string
): Promise<Removed | Elsewhere> {
  const { holds, elsewhere } = await findVersion(place, name, version)
  if (typeof holds === 'object') throw holdsAnother(place, fileOfVersion(name, version), holds, basePath)
  place.sending()
  try {
    return await removeFiles(place, name, version)
  } catch (error) {
    if (elsewhere !== undefined && isNotThere(error)) return { elsewhere }
    throw error
  }
}

/**
 * A version that is listed in a file of another name: it is removed by the name and version
 * that ChartMuseum makes that of.
 */
async function removeElsewhere (place: RemovePlace, name: string, version: string, file: string): Promise<Removed> {
  const { elsewhere } = await findVersion(place, name, version)
  if (elsewhere !== file) throw new RefusalError({ code: 'not_in_upstream' })
  const dash = file.lastIndexOf('-')
  const [before, behind] = [file.slice(0, Math.max(dash, 0)), file.slice(dash + 1).replace(/\.tgz$/, '')]
  if (/^\.{0,2}$/.test(before) || /^\.{0,2}$/.test(behind)) {
    throw new RefusalError({
      code: 'not_in_upstream',
      detail: `${name} ${version} is in a file whose name the chart repository's API cannot say`
    })
  }
  place.sending()
  return await removeFiles(place, before, behind)
}

function isNotThere (error: unknown): boolean {
  return isRefusal(error, 'not_in_upstream')
}

/** A 404 that says what would have been removed, and how that is. */
function holdsAnother (
  { tenantPath }: TenantPlace,
  file: string,
  { name, version }: OtherVersion,
  basePath: string
): RefusalError {
  if (name === undefined || version === undefined) {
    return new RefusalError({
      code: 'not_in_upstream',
      detail: `${file} holds another version, of which the index has no name that a chart can have`
    })
  }
  const { path } = upstreamTarget({ route: 'delete-version', tenantPath, chart: name, version, query: {} }, basePath)
  return new RefusalError({
    code: 'not_in_upstream',
    detail: `${file} holds ${name} ${version}: that is deleted with DELETE ${path}`
  })
}
