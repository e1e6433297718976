// A chart repository as somebody has it before chartgate comes: a real ChartMuseum where
// there is one, else what stands in for it.
import { join } from 'node:path'
import { chartMuseum } from './chartmuseum.ts'
import { ROOT, startProcess, type StartedProcess, type TestLike } from './processes.ts'

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

const STAND_IN = [process.execPath, join(ROOT, 'test/helpers/chartmuseum-stand-in.js'), join(ROOT, 'dist/src/cli.js')] as const

/** Starts it at depth 2. @returns what ends it, before the test does */
export async function startMuseum (t: TestLike, { port, storage }: MuseumPlace, lock: MuseumLock): Promise<() => Promise<void>> {
  const [program, ...words] = chartMuseum === undefined ? STAND_IN : [chartMuseum]
  const key = 'publicKey' in lock
    ? ['--bearer-auth', '--auth-realm', 'http://localhost/oauth/token', '--auth-service', 'localhost', '--auth-cert-path', lock.publicKey]
    : []
  const env = 'publicKey' in lock ? {} : { BASIC_AUTH_USER: lock.user, BASIC_AUTH_PASS: lock.password }
  const argv = ['--depth', '2', '--storage', 'local', '--storage-local-rootdir', storage, '--port', String(port), '--listen-host', '127.0.0.1', ...key]
  return ending(await startProcess(t, program, [...words, ...argv], { readyUrl: `http://127.0.0.1:${port}/health`, env }))
}

/** What ends a process, and waits until it has ended. */
export function ending ({ pid, ended }: Pick<StartedProcess, 'pid' | 'ended'>): () => Promise<void> {
  return async () => {
    process.kill(pid, 'SIGTERM')
    await ended
  }
}
