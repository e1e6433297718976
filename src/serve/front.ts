// The public listener of this process: what clients speak to.
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildApp, type App, type AppDependencies } from '../app.ts'
import type { GoneBy } from '../live/in-force.ts'
import { listenerTls } from '../live/live-tls.ts'
import type { Config } from '../config/schema.ts'
import { CLOCK } from '../lib/clock.ts'
import { listenMistake, type Address, type ListenKey } from './start-mistakes.ts'
import { handsOut } from './connect.ts'
import { VERSION } from '../lib/version.ts'

export interface Front {
  /** Where it listens, as host:port. */
  readonly address: string
  /** What keeps clients from being served; undefined: nothing. */
  hindrance (): string | undefined
  /** How many workers serve; undefined: this process does itself. */
  listening (): number | undefined
  /** Serves for drain.delay, and lets what runs end; false when something did not end well. */
  close (): Promise<boolean>
  /** Says what is still running. */
  logCutOff (): void
}

export type FrontResult =
  | { readonly ok: true, readonly front: Front }
  | { readonly ok: false, readonly message: string }

type FromHere =
  | 'handsOut' | 'live' | 'keys' | 'tls' | 'certificates' | 'federation' | 'revocations' | 'version' | 'clock'
export interface FrontOptions extends Omit<AppDependencies, FromHere>, GoneBy {}

/** Opens it; what hinders that comes back as one sentence. */
export async function openFront (
  { settings, authority, keys, tls, certificates, federation, revocations, ...options }: FrontOptions
): Promise<FrontResult> {
  const config = settings.current
  const listener = listenerTls(tls)
  const app = await buildApp({
    ...options,
    settings,
    live: authority.live,
    revocations: revocations.held,
    keys: keys.live,
    certificates,
    federation: federation.live,
    handsOut: handsOut(settings, keys.upstream),
    ...(listener === undefined ? {} : { tls: listener }),
    version: VERSION,
    clock: CLOCK
  })
  const apps = app.authz === undefined ? [app] : [app, app.authz]
  const close = async (): Promise<void> => { await Promise.all(apps.map(async each => { await each.close() })) }
  const mistake = await listenAll(app, config)
  if (mistake !== undefined) {
    app.log.level = 'silent' // nothing shuts down that was never up
    await close()
    return { ok: false, message: mistake }
  }
  return {
    ok: true,
    front: {
      address: addressOf(app),
      hindrance: () => undefined,
      listening: () => undefined,
      async close () {
        const { delay } = settings.current.drain
        if (delay > 0) {
          for (const each of apps) each.leave(delay)
          await sleep(delay * 1000)
        }
        await close()
        return true
      },
      logCutOff () { for (const each of apps) each.logCutOff() }
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

/** The public listener, and the one that proxies ask. */
async function listenAll (app: App, { listen: publicly, authz }: Config): Promise<string | undefined> {
  const mistake = await listen(app, 'listen', publicly)
  if (mistake !== undefined || authz === undefined) return mistake
  return await listen(app.authz as App, 'authz.listen', authz.listen)
}

/**
 * Of localhost the one address. It may have two, and for the second one Fastify would make a
 * server of its own, which has none of what is set on the first: no bound of connections,
 * and `100 Continue` before anybody has looked at a credential.
 */
const LOCALHOST = '127.0.0.1'

/** Opens a listener; what hinders it, if anything does. */
export async function listen (
  app: App,
  key: ListenKey,
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
