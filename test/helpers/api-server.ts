// An API server of Kubernetes as far as one Secret goes: GET, and a server-side apply that
// creates it or has a conflict with fields of another manager. It is asked over TLS, with a
// token, under rights for one name.
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Environment } from '../../src/config/environment.ts'
import { Authority } from './certificates.ts'
import { temporaryFolder, type TestLike } from './processes.ts'
import { newSecret, recordSecret } from './secrets.ts'

export interface ApiServer {
  /** Where the service account lies. */
  readonly folder: string
  readonly env: Environment
  /** The data of Secrets, by their name; a test may change it. */
  readonly secrets: Map<string, Readonly<Record<string, string>>>
  /** Method and path of each request, without its query. */
  readonly asked: readonly string[]
  /** Called before an apply is carried out. */
  beforeApply: () => void
}

/** @param rights verbs that the service account has for the Secret with this name */
export async function startApiServer (t: TestLike, name: string, rights: readonly string[] = ['get', 'create', 'patch']): Promise<ApiServer> {
  const folder = await temporaryFolder(t)
  const authority = Authority.make(folder)
  const { cert, key } = authority.issue({ names: 'DNS:localhost,IP:127.0.0.1,IP:::1' })
  const token = newSecret()
  const account = join(folder, 'serviceaccount')
  await mkdir(account)
  await Promise.all(Object.entries({ token, namespace: 'charts', 'ca.crt': authority.certText }).map(async ([name, content]) => { await writeFile(join(account, name), content) }))
  const asked: string[] = []
  const path = `/api/v1/namespaces/charts/secrets/${name}`
  const secrets: ApiServer['secrets'] = new Map()
  const managers = new Map<string, string | null>()
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
    const answer = (status: number, body: object = { kind: 'Status', code: status }): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    const { pathname, searchParams } = new URL(request.url as string, 'https://localhost')
    asked.push(`${request.method} ${pathname}`)
    void text(request).then(body => {
      if (request.headers.authorization !== `Bearer ${token}`) { answer(401); return }
      const may = (verb: string): boolean => pathname === path && rights.includes(verb)
      if (request.method === 'GET') {
        const data = secrets.get(name)
        if (!may('get')) answer(403)
        else if (data === undefined) answer(404)
        else answer(200, { apiVersion: 'v1', kind: 'Secret', metadata: { name }, ...(Object.keys(data).length === 0 ? {} : { data }) })
        return
      }
      if (request.method !== 'PATCH' || request.headers['content-type'] !== 'application/apply-patch+yaml') { answer(415); return }
      started.beforeApply()
      const { data } = JSON.parse(body) as { data: Record<string, string> }
      for (const name of ['token.pem', 'upstream.pem']) recordSecret((data[name] as string).slice(100, 164))
      if (!may('patch') || (!secrets.has(name) && !may('create'))) { answer(403); return }
      const manager = searchParams.get('fieldManager')
      const before = secrets.get(name) ?? {}
      const conflicts = Object.keys(data).some(key => before[key] !== undefined && before[key] !== data[key] && managers.get(name) !== manager)
      if (conflicts && searchParams.get('force') !== 'true') { answer(409); return }
      const status = secrets.has(name) ? 200 : 201
      secrets.set(name, { ...before, ...data })
      managers.set(name, manager)
      answer(status, { apiVersion: 'v1', kind: 'Secret', metadata: { name } })
    })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.closeAllConnections(); server.close() })
  const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String((server.address() as AddressInfo).port) }
  const started: ApiServer = { folder: account, env, secrets, asked, beforeApply: () => {} }
  return started
}
