// An OCI registry that keeps everything in memory and lets in whoever has a token of the
// gateway: what it needs of the distribution specification for login, push and pull, and
// its realm is the gateway's token endpoint.
import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { CLOCK } from '../../src/lib/clock.ts'
import { jwksOf } from '../../src/tokens/ring.ts'
import type { TestGateway } from './app.ts'
import type { TestLike } from './folder.ts'

export interface StubRegistry {
  /** localhost:PORT, as clients name it. */
  readonly host: string
  /** Names and tags that were pushed. */
  readonly tags: () => string[]
}

interface Stored { readonly type: string, readonly bytes: Buffer }

interface Granted { readonly type: string, readonly name: string, readonly actions: readonly string[] }

export async function startStubRegistry (t: TestLike, gateway: TestGateway): Promise<StubRegistry> {
  const stored = new Map<string, Stored>()
  const { issuer, service } = gateway.config.tokens
  const keys = createLocalJWKSet(jwksOf(gateway.keys.current.ring, CLOCK.wall()))

  /** What a token grants; undefined without a good one. */
  async function grantsOf ({ headers: { authorization = '' } }: IncomingMessage): Promise<Granted[] | undefined> {
    const token = /^Bearer (.*)$/.exec(authorization)?.[1]
    if (token === undefined) return undefined
    // As distribution: issuer, audience and times, and grants of its own type alone.
    return await jwtVerify(token, keys, { issuer, audience: service, algorithms: ['RS256'] }).then(({ payload }) => payload['access'] as Granted[], () => undefined)
  }

  async function answer (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request)
    const { pathname, searchParams } = new URL(request.url as string, 'http://x')
    const [, name = '', kind = '', last = ''] = /^\/v2\/(.+)\/(manifests|blobs|tags)\/(.*)$/.exec(pathname) ?? []
    const action = request.method === 'GET' || request.method === 'HEAD' ? 'pull' : 'push'
    const grants = await grantsOf(request)
    if (grants === undefined || (pathname !== '/v2/' && !grants.some(grant => grant.type === 'repository' && grant.name === name && grant.actions.includes(action)))) {
      const scope = pathname === '/v2/' ? '' : `,scope="repository:${name}:${action === 'pull' ? 'pull' : 'pull,push'}"`
      // Clients want the realm on the registry's own host.
      refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': `Bearer realm="http://localhost:${gateway.port}/oauth/token",service="${service}"${scope}${grants === undefined ? '' : ',error="insufficient_scope"'}` })
      return
    }
    const send = (status: number, headers: Record<string, string> = {}): void => { response.writeHead(status, headers).end() }
    if (pathname === '/v2/') response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    else if (request.method === 'POST') send(202, { location: `/v2/${name}/blobs/uploads/${randomUUID()}` })
    else if (request.method === 'PUT') {
      const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`
      const wanted = searchParams.get('digest') ?? (last.startsWith('sha256:') ? last : digest)
      if (wanted !== digest) { refuse(response, 400, 'DIGEST_INVALID'); return }
      const entry = { type: request.headers['content-type'] ?? 'application/octet-stream', bytes: body }
      for (const reference of kind === 'blobs' ? [digest] : [digest, last]) stored.set(`${name}/${kind}/${reference}`, entry)
      send(201, { location: `/v2/${name}/${kind}/${digest}`, 'docker-content-digest': digest })
    } else {
      const found = stored.get(`${name}/${kind}/${last}`)
      if (found === undefined) { refuse(response, 404, kind === 'manifests' ? 'MANIFEST_UNKNOWN' : 'BLOB_UNKNOWN'); return }
      response.writeHead(200, { 'content-type': found.type, 'content-length': found.bytes.length, 'docker-content-digest': `sha256:${createHash('sha256').update(found.bytes).digest('hex')}` })
      response.end(request.method === 'HEAD' ? undefined : found.bytes)
    }
  }

  const server = createServer((request, response) => { void answer(request, response).catch(() => { response.destroy() }) })
  await new Promise<void>(resolve => { server.listen(0, 'localhost', resolve) })
  t.teardown(() => { server.close(); server.closeAllConnections() })
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    tags: () => [...stored.keys()].filter(key => key.includes('/manifests/') && !key.includes('sha256:'))
  }
}

function refuse (response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] }))
}
