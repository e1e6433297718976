// The public listener of this process, open and watched: what clients speak to. Asked by
// server.ts when one process does everything, and by worker.ts in each of several.
import type { AddressInfo } from 'node:net'
import { buildApp, type App, type AppDependencies } from './app.ts'
import { followIssuers, keysPart, type OpenedKeys } from './config/live-keys.ts'
import { authorityPart, watchConfig, type OpenedAuthority, type ReloadLog, type WatchOptions } from './config/reload.ts'
import type { Config } from './config/schema.ts'
import type { Watch } from './config/watch.ts'
import { listenMistake, type Address } from './start-mistakes.ts'
import { unixTime } from './unix-time.ts'
import { VERSION } from './version.ts'

export interface Front {
  /** Where it listens, as host:port. */
  readonly address: string
  /** What keeps clients from being served; undefined: nothing. */
  hindrance (): string | undefined
  /** Reads accounts, rules and keys again, changed or not. */
  reread (): void
  /** Lets what runs end; false when something did not end well. */
  close (): Promise<boolean>
  /** Says what is still running. */
  logCutOff (): void
}

export type FrontResult =
  | { readonly ok: true, readonly front: Front }
  | { readonly ok: false, readonly message: string }

/** What a front follows the files of. */
interface Followed extends Pick<WatchOptions, 'reload'> {
  readonly authority: Pick<OpenedAuthority, 'live' | 'stamps'>
  readonly keys: OpenedKeys
}

export interface FrontOptions extends Omit<AppDependencies, 'live' | 'keys' | 'version' | 'now'>, Followed {}

/** Opens it; what hinders that comes back as one sentence. */
export async function openFront (config: Config, { authority, keys, reload, ...options }: FrontOptions): Promise<FrontResult> {
  const app = await buildApp(config, { ...options, live: authority.live, keys: keys.live, version: VERSION, now: unixTime })
  const mistake = await listen(app, 'listen', config.listen)
  if (mistake !== undefined) {
    app.log.level = 'silent' // nothing shuts down that was never up
    await app.close()
    return { ok: false, message: mistake }
  }
  const watch = follow(config, { authority, keys, reload }, app.log)
  return {
    ok: true,
    front: {
      address: addressOf(app),
      hindrance: () => undefined,
      reread () {
        app.log.info('SIGHUP: accounts, rules and keys are read again')
        watch.lookNow()
      },
      async close () {
        watch.close()
        await app.close()
        return true
      },
      logCutOff () { app.logCutOff() }
    }
  }
}

/** Keeps accounts, rules and keys at what their files and URLs say. */
function follow (config: Config, { authority, keys, reload }: Followed, log: ReloadLog): Watch {
  followIssuers(keys.live.current.issuers, log)
  const watch = watchConfig({ parts: [authorityPart(authority.live), keysPart(keys, unixTime)], stamps: new Map([...authority.stamps, ...keys.stamps]), config, reload, log })
  return {
    lookNow: watch.lookNow,
    close () {
      watch.close()
      for (const { remote } of keys.live.current.issuers) remote?.close()
    }
  }
}

/** Opens a listener; what hinders it, if anything does. */
export async function listen (app: App, key: 'listen' | 'admin', address: Address): Promise<string | undefined> {
  const { level } = app.log
  app.log.level = 'silent' // Fastify says where it listens, once for every address; we say it once for both listeners
  // A copy, because Fastify puts a function into it.
  const mistake = await app.listen({ ...address }).then(() => undefined, (error: unknown) => listenMistake(error, key, address))
  app.log.level = level
  return mistake
}

export function addressOf (app: App): string {
  const { address, port } = app.server.address() as AddressInfo
  return `${address.replace(/^.*:.*$/, '[$&]')}:${port}` // an IPv6 address in brackets
}
