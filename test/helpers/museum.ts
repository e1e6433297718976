// A chart repository as somebody has it before chartgate comes: a real ChartMuseum where
// there is one, else the embedded repository alone, behind a guard that asks for Basic as
// ChartMuseum does.
import { createServer, request, type Server } from 'node:http'
import { chartMuseum } from './chartmuseum.ts'
import { freePorts, startProcess, type StartedProcess, type TestLike } from './processes.ts'

/** Who is let in: one account, or whoever comes with a token of this key. */
export type MuseumLock =
  | { readonly user: string, readonly password: string }
  | { readonly publicKey: string }

export interface MuseumPlace {
  readonly port: number
  /** The folder with the tenants' folders. */
  readonly storage: string
}

/** Which of the two it is here. */
export const MUSEUM = chartMuseum === undefined ? 'the embedded repository behind Basic' : 'ChartMuseum'

/** Starts it at depth 2. @returns what ends it, before the test does */
export async function startMuseum (t: TestLike, { port, storage }: MuseumPlace, lock: MuseumLock): Promise<() => Promise<void>> {
  if (chartMuseum === undefined) return await startStandIn(t, { port, storage }, lock)
  const guard = 'publicKey' in lock
    ? ['--bearer-auth', '--auth-realm', 'http://localhost/oauth/token', '--auth-service', 'localhost', '--auth-cert-path', lock.publicKey]
    : ['--basic-auth-user', lock.user, '--basic-auth-pass', lock.password]
  const argv = ['--depth', '2', '--storage', 'local', '--storage-local-rootdir', storage, '--port', String(port), '--listen-host', '127.0.0.1', ...guard]
  return ending(await startProcess(t, chartMuseum, argv, { readyUrl: `http://127.0.0.1:${port}/health` }))
}

async function startStandIn (t: TestLike, { port, storage }: MuseumPlace, lock: MuseumLock): Promise<() => Promise<void>> {
  if ('publicKey' in lock) return ending(await startRepository(t, { port, storage }, ['--public-key', lock.publicKey]))
  const [inner] = await freePorts(1) as [number]
  const end = ending(await startRepository(t, { port: inner, storage }, []))
  const guard = guardOf(inner, `Basic ${Buffer.from(`${lock.user}:${lock.password}`).toString('base64')}`)
  await new Promise<void>(resolve => { guard.listen(port, '127.0.0.1', resolve) })
  const close = async (): Promise<void> => {
    guard.closeAllConnections()
    await new Promise(resolve => { guard.close(resolve) })
    await end()
  }
  t.teardown(() => { guard.close().closeAllConnections() })
  return close
}

async function startRepository (t: TestLike, { port, storage }: MuseumPlace, more: readonly string[]): Promise<StartedProcess> {
  const argv = ['dist/src/cli.js', 'repository', '--dir', storage, '--port', String(port), '--depth', '2', ...more]
  return await startProcess(t, process.execPath, argv, { readyUrl: `http://127.0.0.1:${port}/health` })
}

/** Passes on what comes with this header. */
function guardOf (port: number, authorization: string): Server {
  return createServer((asked, answer) => {
    if (asked.url !== '/health' && asked.headers.authorization !== authorization) {
      asked.resume()
      answer.writeHead(401, { 'www-authenticate': 'Basic realm="ChartMuseum"' }).end('{"error":"unauthorized"}')
      return
    }
    const { method, url: path, headers } = asked
    const passed = request({ port, host: '127.0.0.1', method, path, headers }, reply => {
      answer.writeHead(reply.statusCode as number, reply.headers)
      reply.pipe(answer)
    })
    asked.pipe(passed.on('error', () => { answer.destroy() }))
  })
}

/** What ends a process, and waits until it has ended. */
export function ending ({ pid, ended }: Pick<StartedProcess, 'pid' | 'ended'>): () => Promise<void> {
  return async () => {
    process.kill(pid, 'SIGTERM')
    await ended
  }
}
