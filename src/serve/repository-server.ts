// The embedded repository as a process of its own, from start to stop: a port, a folder,
// one line of log for everything that it stores, deletes or refuses. Everything expected
// that can go wrong comes back as one sentence.
import type { KeyObject } from 'node:crypto'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { isatty } from 'node:tty'
import pino from 'pino'
import { logOfRepository } from './repository-log.ts'
import type { Environment } from '../config/environment.ts'
import { createThreads } from '../lib/threads.ts'
import { every } from '../lib/timers.ts'
import { LOG_FORM } from '../observe/log-form.ts'
import { lookAtTerminal } from '../observe/log-look.ts'
import { openLog, STANDARD_OUTPUT } from '../observe/log-sink.ts'
import { openRepository } from '../repository/repository.ts'
import type { Depth } from '../repository/routing.ts'
import type { ServeResult, StartResult } from './started.ts'
import { untilSignal } from './until-signal.ts'

export interface RepositoryServerOptions {
  /** Absolute. */
  readonly dir: string
  /** 0: any that is free. */
  readonly port: number
  readonly depth: Depth
  /** Checks tokens, and so may be reached from elsewhere. */
  readonly publicKey?: KeyObject
  /** Where log lines go. */
  readonly logStream: { write: (line: string) => void }
}

/** ChartMuseum's --max-upload-size, when nobody says otherwise. */
const MAX_UPLOAD_SIZE = 20 * 1024 * 1024

/* c8 ignore start -- its end is the process's own: a test starts and stops one */
/** Starts it and serves until SIGTERM or SIGINT. @param env how a terminal is */
export async function serveRepository (
  { env, ...options }: Omit<RepositoryServerOptions, 'logStream'> & { readonly env: Environment }
): Promise<ServeResult> {
  const atTerminal = isatty(STANDARD_OUTPUT)
  const logStream = openLog(STANDARD_OUTPUT, atTerminal ? await lookAtTerminal(env) : undefined)
  const announce = (text: string): void => { logStream.write(text) }
  const started = await startRepository({ ...options, logStream }, atTerminal ? announce : undefined)
  return started.ok ? { ok: true, closed: untilSignal(started) } : started
}
/* c8 ignore stop */

/**
 * Starts it; resolves once it listens.
 * @param announce text for the person at a terminal who started it; without one the log says it
 */
export async function startRepository (
  { dir, port, depth, publicKey, logStream }: RepositoryServerOptions,
  announce?: (text: string) => void
): Promise<StartResult> {
  // Who checks nobody must not be reached from elsewhere.
  const address = publicKey === undefined ? { port, host: '127.0.0.1' } : { port }
  const log = logOfRepository(pino(LOG_FORM, logStream))
  try {
    // The port first: to open a folder removes the drafts of a repository that runs on both.
    const probe = await listenOn(createServer(), address)
    await new Promise(resolve => { probe.close(resolve) })
    const opened = await openRepository({
      dir,
      depth,
      contextPath: '',
      maxUploadSize: () => MAX_UPLOAD_SIZE,
      log,
      ...(publicKey === undefined ? {} : { publicKey })
    })
    if (!opened.ok) return opened
    const { repository } = opened
    const server = await listenOn(repository.server, address)
    const { port: taken } = server.address() as AddressInfo
    if (announce === undefined) {
      log({ event: 'listening', port: taken, depth, dir, checksTokens: publicKey !== undefined })
    } else {
      announce(publicKey === undefined
        ? `chartgate's repository listens on http://127.0.0.1:${taken}, depth ${depth}; its charts lie in ${dir}; ` +
          'tokens are not checked, so only this machine can reach it\n'
        : `chartgate's repository listens on port ${taken} of every address, depth ${depth}; ` +
          `its charts lie in ${dir}; tokens are checked\n`)
    }
    const threads = createThreads(every)
    return {
      ok: true,
      threads,
      reread () { log({ event: 'nothing_to_read', detail: 'SIGHUP: nothing of it can be read again while it runs' }) },
      logCutOff () { log({ event: 'cut_off', detail: 'what still ran after the signal to stop was cut off' }) },
      async stop () {
        await repository.close()
        threads.close()
        return true
      }
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return {
      ok: false,
      message: code === 'EADDRINUSE'
        ? `port ${port} is in use by another program: stop it, or choose another --port`
        : `port ${port} cannot be listened on: ${message}`
    }
  }
}

async function listenOn<S extends Server> (server: S, address: { port: number, host?: string }): Promise<S> {
  return await new Promise((resolve, reject) => {
    server.once('error', reject).listen(address, () => { resolve(server) })
  })
}
