// Which versions does an address of the upstream list of a tenant? For whoever compares two
// addresses; nothing of it is answered to a client.
import { ROOT_TENANT, type Depth } from '../words/tenant.ts'
import { textOf } from './answers.ts'
import { alone, gatewayItself } from './asker.ts'
import type { Upstream } from './client.ts'

/** Bytes. */
const LONGEST_LIST = 64 * 1024 * 1024

/** The digest of each, by name and version in words; undefined when there is no list. Never rejects. */
export async function listedVersions (
  upstream: Pick<Upstream, 'ask'>,
  tenant: string,
  depth: Depth
): Promise<ReadonlyMap<string, string> | undefined> {
  const tenantPath = depth === 0 && tenant === ROOT_TENANT ? '' : tenant
  try {
    const answer = await upstream.ask({
      method: 'GET',
      target: { route: 'list', tenant, tenantPath, query: {} },
      company: alone(gatewayItself(tenant)),
      named: false,
      most: LONGEST_LIST,
      longer: 'left'
    })
    const charts = JSON.parse(textOf(answer)) as Readonly<Record<string, readonly Listed[]>>
    return new Map(Object.values(charts).flat().map(({ name, version, digest }) => [`${name} ${version}`, digest]))
  } catch {
    return undefined
  }
}

/** An entry of the API (helm/helm v3.21.4, pkg/repo/index.go, ChartVersion). */
interface Listed { readonly name: string, readonly version: string, readonly digest: string }
