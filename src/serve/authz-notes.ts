// What can proxies that ask at /authz not have? Said once, at the start, by whoever starts
// the listener: it is weaker than a gateway in front, and nobody should find that out later.
import type { Config } from '../config/schema.ts'

type Say = (fields: object, message: string) => void

/** Says where they ask, and what passes on this way is without. */
export function sayAuthz ({ authz, upstream }: Config, log: { readonly info: Say, readonly warn: Say }): void {
  if (authz === undefined) return
  const { dialect, listen: { host, port }, push } = authz
  const at = { authz: `${host}:${port}`, dialect }
  log.info(at, 'proxies may ask at /authz; what they let pass is the client\'s own request: links of an index stay ' +
    'as they are, each read goes to the chart repository, and /oauth/token has to lead to the gateway ' +
    '(docs/forward-auth.md)')
  if (push) {
    log.warn(at, 'authz.push is on: uploads pass without a look into them, and whether one stores, overwrites or is ' +
      'refused decides the chart repository alone')
  } else log.info(at, 'authz.push is off: uploads and deletes are refused at /authz')
  if (upstream.auth === 'bearer') return
  log.warn(at, `upstream.auth is ${upstream.auth}: no Authorization is handed out at /authz` +
    (upstream.auth === 'basic' ? ', because it would be the one password of all; let the proxy send it itself' : ''))
}
