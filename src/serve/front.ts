// The public listener of this process, open and watched: what clients speak to.
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildApp, type App, type AppDependencies } from '../app.ts'
import { follow, type Followed } from '../live/in-force.ts'
import { followIssuers } from '../live/live-keys.ts'
import { listenerTls } from '../live/live-tls.ts'
import type { ReloadLog } from '../live/reload.ts'
import type { Config } from '../config/schema.ts'
import type { Watch } from '../files/watch.ts'
import { CLOCK } from '../lib/clock.ts'
import { listenMistake, type Address } from './start-mistakes.ts'
import { VERSION } from '../lib/version.ts'

export interface Front {
  /** Where it listens, as host:port. */
  readonly address: string
  /** What keeps clients from being served; undefined: nothing. */
  hindrance (): string | undefined
  /** How many workers serve; undefined: this process does itself. */
  listening (): number | undefined
  /** Reads accounts, rules, keys and certificates again, changed or not. */
  reread (): void
  /** Serves for drain.delay, and lets what runs end; false when something did not end well. */
  close (): Promise<boolean>
  /** Says what is still running. */
  logCutOff (): void
}

export type FrontResult =
  | { readonly ok: true, readonly front: Front }
  | { readonly ok: false, readonly message: string }

type FromHere = 'live' | 'keys' | 'tls' | 'certificates' | 'version' | 'clock'
export interface FrontOptions extends Omit<AppDependencies, FromHere>, Followed {}

/** Opens it; what hinders that comes back as one sentence. */
export async function openFront (
  config: Config,
  { authority, keys, tls, certificates, reload, report, ...options }: FrontOptions
): Promise<FrontResult> {
  const listener = listenerTls(config, tls)
  const app = await buildApp(config, {
    ...options,
    live: authority.live,
    keys: keys.live,
    certificates,
    ...(listener === undefined ? {} : { tls: listener }),
    version: VERSION,
    clock: CLOCK
  })
  const mistake = await listen(app, 'listen', config.listen)
  if (mistake !== undefined) {
    app.log.level = 'silent' // nothing shuts down that was never up
    await app.close()
    return { ok: false, message: mistake }
  }
  const followed = { authority, keys, tls, certificates, reload, ...(report === undefined ? {} : { report }) }
  const watch = followAll(config, followed, app.log)
  return {
    ok: true,
    front: {
      address: addressOf(app),
      hindrance: () => undefined,
      listening: () => undefined,
      reread () {
        app.log.info('SIGHUP: accounts, rules, keys and certificates are read again')
        void watch.lookNow()
      },
      async close () {
        if (config.drain.delay > 0) {
          app.leave(config.drain.delay)
          await sleep(config.drain.delay * 1000)
        }
        watch.close()
        await app.close()
        return true
      },
      logCutOff () { app.logCutOff() }
    }
  }
}

/** Keeps accounts, rules, keys and certificates at what their files and URLs say. */
function followAll (config: Config, followed: Followed, log: ReloadLog): Watch {
  const { keys } = followed
  followIssuers(keys.live.current.issuers, log)
  const watch = follow(config, followed, log)
  return {
    lookNow: watch.lookNow,
    close () {
      watch.close()
      for (const { remote } of keys.live.current.issuers) remote?.close()
    }
  }
}

/**
 * Connections that may wait for their turn to be taken in; the system's own bound
 * (net.core.somaxconn) if that is smaller. Beyond it a client hears nothing, and its system
 * tries again after a second: with Node's 511, one client that opens 500 at once did that
 * to everybody else.
 */
const BACKLOG = 65_535

/**
 * Of localhost the one address. It may have two, and for the second one Fastify would make a
 * server of its own, which has none of what is set on the first: no bound of connections,
 * and `100 Continue` before anybody has looked at a credential.
 */
const LOCALHOST = '127.0.0.1'

/** Opens a listener; what hinders it, if anything does. */
export async function listen (
  app: App,
  key: 'listen' | 'admin',
  { host, port }: Address
): Promise<string | undefined> {
  const { level } = app.log
  app.log.level = 'silent' // Fastify says where it listens, once for every address; we say it once for both listeners
  const mistake = await app.listen({ host: host === 'localhost' ? LOCALHOST : host, port, backlog: BACKLOG })
    .then(() => undefined, (error: unknown) => listenMistake(error, key, { host, port }))
  app.log.level = level
  return mistake
}

export function addressOf (app: App): string {
  const { address, port } = app.server.address() as AddressInfo
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}
