// What can proxies that ask at /authz not have? Said at the start by whoever starts the
// listener, and of uploads whenever that is another than it was: it is weaker than a gateway
// in front, and nobody should find that out later.
import type { Settings } from '../live/settings.ts'

type Say = (fields: object, message: string) => void

/** Says where they ask, and what passes on this way is without; from then on whether uploads pass. */
export function sayAuthz (settings: Settings, log: { readonly info: Say, readonly warn: Say }): void {
  const { authz, upstream } = settings.current
  if (authz === undefined) return
  const { dialect, listen: { host, port } } = authz
  const at = { authz: `${host}:${port}`, dialect }
  log.info(at, 'proxies may ask at /authz; what they let pass is the client\'s own request: links of an index stay ' +
    'as they are, each read goes to the chart repository, and /oauth/token has to lead to the gateway ' +
    '(docs/forward-auth.md)')
  let push: boolean | undefined
  const sayPush = (now: boolean): void => {
    if (now === push) return
    push = now
    if (now) {
      log.warn(at, 'authz.push is on: uploads pass without a look into them, and whether one stores, overwrites or ' +
        'is refused decides the chart repository alone')
    } else log.info(at, 'authz.push is off: uploads and deletes are refused at /authz')
  }
  sayPush(authz.push)
  settings.follow(({ authz: now }) => { sayPush((now as typeof authz).push) }) // a restart alone takes it away
  if (upstream.auth === 'bearer') return
  log.warn(at, `upstream.auth is ${upstream.auth}: no Authorization is handed out at /authz` +
    (upstream.auth === 'basic' ? ', because it would be the one password of all; let the proxy send it itself' : ''))
}
