// The gateway in this process, in front of one of the two programs that a repository can
// be: the embedded repository, and a real ChartMuseum where there is one.
import { request } from 'undici'
import type { Config } from '../../src/config/schema.ts'
import { OPEN, findChartMuseum, startChartMuseum, startEmbedded, type Running, type ServerFlags } from '../repository/servers.ts'
import { startApp, type TestGateway } from './app.ts'
import { NO_CHARTMUSEUM } from './chartmuseum.ts'
import type { TestLike } from './folder.ts'
import { temporaryFolder } from './processes.ts'

export type ProgramName = 'the embedded repository' | 'ChartMuseum'

export interface Program {
  readonly name: ProgramName
  /** Why it cannot be tried here. */
  readonly missing: string | undefined
}

export const PROGRAMS: readonly Program[] = [
  { name: 'the embedded repository', missing: undefined },
  { name: 'ChartMuseum', missing: findChartMuseum() === undefined ? NO_CHARTMUSEUM : undefined }
]

export interface Ask {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  readonly body?: Buffer
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly body: Buffer
  readonly text: string
}

export interface InFront {
  readonly gateway: TestGateway
  readonly upstream: Running
  /** Where the program keeps its charts; a tenant is a folder in it. */
  readonly folder: string
  /** Asks the gateway, with every right. */
  ask (path: string, options?: Ask): Promise<Answer>
}

export interface InFrontOptions {
  /** With charts in it; a new one if left out. */
  readonly folder?: string
  readonly flags?: Partial<ServerFlags>
  readonly config?: (config: Config) => Config
}

export async function startInFront (t: TestLike, name: ProgramName, { folder: given, flags = {}, config: change = config => config }: InFrontOptions = {}): Promise<InFront> {
  const folder = given ?? await temporaryFolder(t)
  const upstream = await (name === 'ChartMuseum' ? startChartMuseum : startEmbedded)(t, folder, { ...OPEN, ...flags })
  const gateway = await startApp(t, {
    origin: `http://127.0.0.1:${upstream.port}`,
    config: config => change({ ...config, upstream: { ...config.upstream, auth: 'none' } })
  })
  const ask: InFront['ask'] = async (path, { method = 'GET', body, headers = {} } = {}) => {
    const answer = await request(gateway.url + path, { method, headers: { ...headers, authorization: `Bearer ${gateway.masterKey}` }, ...(body === undefined ? {} : { body }) })
    const bytes = Buffer.from(await answer.body.arrayBuffer())
    return { status: answer.statusCode, body: bytes, text: bytes.toString('utf8') }
  }
  return { gateway, upstream, folder, ask }
}

export interface Listed {
  readonly name: string
  readonly version: string
  readonly urls: readonly string[]
}
