// The listener that proxies ask, in this process, and questions to it as bytes.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../../src/config/schema.ts'
import type { OpenedKeys } from '../../src/live/live-keys.ts'
import type { DialectName } from '../../src/words/dialects.ts'
import { startApp, type Overrides, type TestGateway } from './app.ts'
import { newSecret } from './secrets.ts'
import { accountsFile, basic } from './team.ts'
import { askRaw, rawClient, type RawResponse } from './raw.ts'
import type { TestLike } from './folder.ts'
import { temporaryFolder } from './processes.ts'
import { startStubUpstream, type StubUpstream } from './stub-upstream.ts'

/** Proxies on this machine ask. */
export function askedBy (dialect: DialectName, more: Partial<NonNullable<Config['authz']>> = {}): NonNullable<Config['authz']> {
  return { listen: { host: '127.0.0.1', port: 0 }, trustedProxies: ['127.0.0.1'], dialect, push: false, ...more }
}

export interface AskedGateway {
  readonly gateway: TestGateway
  readonly stub: StubUpstream
  /** The Authorization header of robot:ci, which may do everything in org1/repo1. */
  readonly ci: string
  /** Asks as a proxy in this dialect does. @param headers lines, beside those of the proxy */
  ask (method: string, target: string, headers?: readonly string[]): Promise<RawResponse>
  /** The same bytes as they are. */
  send (head: string): Promise<RawResponse>
}

/** What a proxy's own request says. */
export function question (dialect: DialectName, method: string, target: string, headers: readonly string[] = []): string {
  const lines: readonly string[] = {
    nginx: ['GET /authz HTTP/1.1', `X-Original-URI: ${target}`, `X-Original-Method: ${method}`],
    traefik: ['GET /authz HTTP/1.1', `X-Forwarded-Uri: ${target}`, `X-Forwarded-Method: ${method}`],
    caddy: ['GET /authz?a=1 HTTP/1.1', `X-Forwarded-Uri: ${target}`, `X-Forwarded-Method: ${method}`],
    envoy: [`${method} /authz${target} HTTP/1.1`, 'content-length: 0'],
    'gateway-api': [`${method} /authz${target} HTTP/1.1`, 'content-length: 0']
  }[dialect]
  return [...lines, 'Host: charts.example.test', ...headers, '', ''].join('\r\n')
}

/** Making keys takes longest. */
let keys: OpenedKeys | undefined

/** A gateway that a proxy asks, with a robot that may do everything in org1/repo1. */
export async function startAsked (t: TestLike, dialect: DialectName, { config: change = config => config, ...overrides }: Partial<Overrides> = {}): Promise<AskedGateway> {
  const secret = newSecret()
  const file = join(await temporaryFolder(t), 'accounts.yaml')
  await writeFile(file, await accountsFile([], [{ name: 'ci', secrets: [secret] }]))
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, {
    origin: stub.origin,
    ...(keys === undefined ? {} : { keys }),
    ...overrides,
    config: config => change({
      ...config,
      authz: askedBy(dialect),
      accounts: { files: [file] },
      policy: [{ repositories: ['org1/repo1'], subjects: ['robot:ci'], actions: ['pull', 'push', 'overwrite', 'delete'] }]
    })
  })
  keys = gateway.opened
  const send = async (head: string): Promise<RawResponse> => {
    if (!head.startsWith('HEAD ')) return await askRaw(gateway.authzPort, Buffer.from(head, 'latin1'))
    const client = rawClient(gateway.authzPort)
    return await client.ask({ head }).finally(() => { client.close() })
  }
  return { gateway, stub, ci: basic('ci', secret), send, ask: async (method, target, headers) => await send(question(dialect, method, target, headers)) }
}
