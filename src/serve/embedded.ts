// The embedded repository of a gateway without an upstream of its own: on stateDir/charts,
// reached over a socket that nobody else can enter. With an upstream it is never loaded.
import { join } from 'node:path'
import type { Settings } from '../live/settings.ts'
import type { SigningKey } from '../tokens/keys.ts'
import { troubleOfRepository } from './repository-log.ts'
import type { ServeOptions } from './started.ts'
import { repositorySocket } from './state-dir.ts'

export interface EmbeddedOptions extends Pick<ServeOptions, 'demoChart'> {
  /** What its tokens are checked with. */
  readonly key: SigningKey
  readonly log: Parameters<typeof troubleOfRepository>[0]
  /** What is closed in the end, in the order of opening. */
  readonly opened: (() => Promise<unknown>)[]
}

/**
 * Opens it; the path of the socket that it listens on, undefined where there is an upstream.
 * @throws what hinders it
 */
export async function openEmbedded (
  settings: Settings,
  { key, demoChart, log, opened }: EmbeddedOptions
): Promise<string | undefined> {
  const { stateDir, charts: { depth }, upstream: { url, auth } } = settings.current
  if (url !== undefined) return undefined
  const dir = join(stateDir, 'charts')
  const socketPath = await repositorySocket(stateDir)
  if (demoChart !== undefined) await (await import('./demo.ts')).seedDemoChart(demoChart, dir)
  const publicKey = auth === 'bearer' ? { publicKey: key.publicKey } : {}
  const { openRepository } = await import('../repository/repository.ts')
  const result = await openRepository({
    dir,
    depth,
    contextPath: '',
    maxUploadSize: () => settings.current.charts.maxUploadSize,
    log: troubleOfRepository(log),
    ...publicKey
  })
  if (!result.ok) throw new Error(result.message)
  const { repository } = result
  opened.push(async () => { await repository.close() })
  await new Promise<void>((resolve, reject) => {
    repository.server.once('error', reject).listen(socketPath, resolve)
  })
  return socketPath
}
