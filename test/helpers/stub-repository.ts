// A chart repository that a test fills by hand: files, and an index that need not fit
// them. It answers reads, stores and removes as ChartMuseum does, and nothing is checked.
import type { StubAnswer, StubUpstream, SeenRequest } from './stub-upstream.ts'

export interface ListedVersion { readonly name: string, readonly version: string, readonly urls: readonly string[] }

export interface StubRepository {
  /** What lies in the tenant's folder. */
  readonly files: Map<string, string | Buffer>
  readonly listed: ListedVersion[]
  /** Answers in its place; undefined leaves it to the repository. */
  instead: (request: string) => StubAnswer | undefined | Promise<StubAnswer | undefined>
}

const NOT_FOUND: StubAnswer = { status: 404, body: '{"error":"object not found"}' }

/** Lets the stub be the repository of one tenant. `stored` names the file of the next chart and provenance. */
export function fillStub (stub: StubUpstream, tenant: string, stored = 'x-1.0.0.tgz'): StubRepository {
  const repository: StubRepository = { files: new Map(), listed: [], instead: () => undefined }
  stub.answer = async seen => await repository.instead(`${seen.method} ${seen.target}`) ?? answer(repository, tenant, stored, seen)
  return repository
}

function answer ({ files, listed }: StubRepository, tenant: string, stored: string, { method, target, body }: SeenRequest): StubAnswer {
  const path = decodeURIComponent(target.replace(/\?.*$/, ''))
  const [api, place] = [`/api/${tenant}/charts`, `/${tenant}/charts/`]
  if (method === 'POST') {
    files.set(path.endsWith('/prov') ? `${stored}.prov` : stored, body)
    return { status: 201, body: '{"saved":true}' }
  }
  if (path.startsWith(place)) {
    const file = files.get(path.slice(place.length))
    return file === undefined ? NOT_FOUND : { body: file }
  }
  if (path === api) return { body: JSON.stringify(Object.fromEntries(listed.map(({ name }) => [name, listed.filter(entry => entry.name === name)]))) }
  const [name, version] = path.slice(api.length + 1).split('/')
  if (method === 'DELETE') {
    files.delete(`${name}-${version}.tgz.prov`)
    return files.delete(`${name}-${version}.tgz`) ? { body: '{"deleted":true}' } : NOT_FOUND
  }
  // ChartMuseum gives another one that fits, when there is none.
  const found = listed.find(entry => entry.name === name && entry.version === version) ?? listed.find(entry => entry.name === name)
  return found === undefined ? NOT_FOUND : { body: JSON.stringify(found) }
}
