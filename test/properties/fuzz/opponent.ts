// The built gateway in a process of its own, and tokens for it, signed with its own key.
import { join } from 'node:path'
import { issueToken } from '../../../src/tokens/issue.ts'
import { readSigningKey } from '../../../src/tokens/keys.ts'
import type { Grant } from '../../../src/words/access.ts'
import { startGateway } from '../../helpers/gateway.ts'
import type { TestLike } from '../../helpers/processes.ts'
import type { Opponent } from './fuzzer.ts'
import type { World } from './worlds.ts'

export interface BuiltGateway extends Opponent {
  /** Everything that it said. */
  readonly output: () => string
}

const ISSUER = 'http://charts.example.test'
const TTL = 24 * 60 * 60

/** @param auth how it asks the upstream */
export async function startBuiltGateway (t: TestLike, world: World, origin: string, auth: 'bearer' | 'none'): Promise<BuiltGateway> {
  const gateway = await startGateway(t, {
    publicUrl: ISSUER + world.basePath,
    upstream: { url: origin, auth },
    charts: { depth: world.depth, contextPath: world.contextPath },
    tokens: { ttl: '24h', issuer: ISSUER, service: 'charts.example.test' },
    masterKey: 'a key that nobody sends',
    log: { level: 'error' }
  })
  const key = await readSigningKey(join(gateway.stateDir, 'keys', 'token.pem'))
  const now = Math.floor(Date.now() / 1000)
  const issue = async (grants: Grant[]): Promise<string> =>
    (await issueToken(key, { issuer: ISSUER, audience: 'charts.example.test', ttl: TTL }, 'key:master', grants, now)).token
  return {
    port: Number(new URL(gateway.url).port),
    token: await issue([{ type: 'artifact-repository', name: world.tenant, actions: ['pull', 'push', 'overwrite', 'delete'] }]),
    foreignToken: await issue([]),
    output: () => gateway.stdout() + gateway.stderr()
  }
}
