// Two tenants and one who may read only the first: what every attack on the isolation
// of tenants starts from. The stub behind the gateway would give the other tenant's
// secret to anybody, so that nothing but the gateway keeps it.
import { decodeJwt } from 'jose'
import type { Test } from 'tap'
import { OWN_ENDPOINTS } from '../../src/doors/own-endpoints.ts'
import type { Config } from '../../src/config/schema.ts'
import type { Grant } from '../../src/words/access.ts'
import { grant, startApp, type TestGateway } from './app.ts'
import { chartMuseumReads, type ModelOptions } from './chartmuseum-router.ts'
import { sendRaw, type RawResponse } from './raw.ts'
import { startStubUpstream, type SeenRequest, type StubUpstream } from './stub-upstream.ts'

/** What one may and the other must not reach. */
export const OWN = 'org1/repo1'
export const OTHER = 'org2/repo2'
export const SECRET = 'secret-1.0.0 of org2/repo2'

export interface RequestParts {
  /** The whole header; left out: the token for `org1/repo1:pull`, null: none. */
  readonly authorization?: string | null | undefined
  /** Header lines, as they are. */
  readonly headers?: readonly string[]
  readonly body?: Buffer | string
}

export interface TwoTenants {
  readonly gateway: TestGateway
  readonly stub: StubUpstream
  /** Sends a request as bytes, one character each. */
  ask (method: string, target: string, parts?: RequestParts): Promise<RawResponse>
  /** Takes what the upstream has seen since the last time. */
  taken (): SeenRequest[]
}

/** Starts a stub that has the secret, and a gateway before it. */
export async function startTwoTenants (t: Test, config?: (config: Config) => Config): Promise<TwoTenants> {
  const stub = await startStubUpstream(t)
  stub.answer = ({ target }) => {
    const body = /^\/(?:api\/)?org1\/repo1\/[^%]*$/.test(target) && !target.includes('..') ? 'own' : SECRET
    // The index door passes on nothing but an index.
    return { body: target.includes('index.yaml') ? JSON.stringify({ entries: {}, body }) : body }
  }
  const gateway = await startApp(t, { origin: stub.origin, ...(config === undefined ? {} : { config }) })
  const own = await bearer(gateway, grant(OWN, 'pull'))
  return {
    gateway,
    stub,
    async ask (method, target, { authorization = own, headers = [], body = '' } = {}) {
      const lines = [`${method} ${target} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers]
      if (authorization !== null) lines.push(`Authorization: ${authorization}`)
      if (body.length > 0) lines.push(`Content-Length: ${Buffer.byteLength(body)}`)
      return await sendRaw(gateway.port, Buffer.concat([Buffer.from(lines.join('\r\n') + '\r\n\r\n', 'latin1'), Buffer.from(body)]))
    },
    taken: () => stub.seen.splice(0)
  }
}

/** An Authorization header with a token for these grants. */
export async function bearer (gateway: TestGateway, ...grants: Grant[]): Promise<string> {
  return `Bearer ${await gateway.token(grants)}`
}

/** Asserts that the gateway refused, and that nobody else was asked. */
export function isRefused (t: Test, { taken }: TwoTenants, { status, text }: RawResponse, name: string): void {
  t.ok([400, 401, 403, 404, 405].includes(status), `${name} is refused (${status})`)
  t.notOk(text.includes(SECRET), `${name} shows nothing of the other tenant`)
  t.same(taken().map(({ method, target }) => `${method} ${target}`), [], `${name} does not reach the upstream`)
}

/** What a request was authorised for: the one right of the token that the upstream is sent. */
export function authorisedFor ({ headers }: SeenRequest): Grant {
  const { access } = decodeJwt((headers.authorization ?? '').replace('Bearer ', ''))
  return (access as [Grant])[0]
}

/** Text in printable ASCII, for the names of assertions. */
export function shown (text: string): string {
  return JSON.stringify(text).replace(/[^\x20-\x7e]/g, character => '\\u' + character.charCodeAt(0).toString(16).padStart(4, '0'))
}

/** Where the upstream understands a request otherwise than it was authorised; '' is nowhere. */
export function differenceOf (seen: SeenRequest, options: ModelOptions): string {
  const { name, actions } = authorisedFor(seen)
  const model = chartMuseumReads(seen.method, seen.target, options)
  const authorised = `${name} ${actions.join()}`
  const demanded = model.kind === 'demands' ? `${model.namespace} ${model.action}` : model.kind
  return authorised === demanded ? '' : `${seen.method} ${shown(seen.target)}: authorised for ${authorised}, ChartMuseum reads ${shown(demanded)}`
}

/** The registry says to whoever may do anything that it is there. */
const OCI_BASE = /^\/v2\/?(?:\?|$)/

export interface Tally { requests: number, refused: number, forwarded: number }

/**
 * Asks with every right, and throws when what was authorised is not what ChartMuseum
 * would do, or when a refusal reached the upstream.
 */
export async function probe (tenants: TwoTenants, method: string, target: string, options: ModelOptions, tally: Tally): Promise<void> {
  const { status, text } = await tenants.ask(method, target, { authorization: `Bearer ${tenants.gateway.masterKey}` })
  const seen = tenants.taken()
  tally.requests++
  if (seen.length > 0) tally.forwarded++
  else if ([400, 401, 403, 404, 405].includes(status)) tally.refused++
  else if (!OWN_ENDPOINTS.has(target.split('?', 1)[0] as string) && !OCI_BASE.test(target)) throw new Error(`${method} ${shown(target)} is neither refused nor forwarded: ${shown(text)}`)
  for (const each of seen) {
    const difference = differenceOf(each, options)
    if (difference !== '') throw new Error(difference)
  }
}
