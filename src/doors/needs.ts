// What does a request need before its door opens? Nothing is open that does not say so
// here: a new kind of target, or a new endpoint of our own, does not compile until it does.
import type { Access } from '../words/access.ts'
import type { ParsedTarget } from './request-target.ts'
import type { OwnEndpoint } from './own-endpoints.ts'

/**
 * Every one of these rights; `credentials`, whosever they are, which asks for them also where
 * everything is public; or `nothing`, which asks nobody who they are.
 */
export type Needs = readonly [Access, ...Access[]] | 'credentials' | 'nothing'

/** The token endpoint asks by itself who it is, because credentials come in its body too. */
const OWN: Readonly<Record<OwnEndpoint, Needs>> = {
  home: 'nothing',
  token: 'nothing',
  jwks: 'nothing',
  health: 'nothing',
  info: 'nothing'
}

export function needsOf (target: ParsedTarget): Needs {
  switch (target.kind) {
    case 'chart':
    case 'authz': return [target.request.access]
    case 'own': return OWN[target.endpoint]
    case 'oci': return target.request.route === 'oci-base' ? 'credentials' : [target.request.access]
    case 'refused': return 'nothing'
  }
}
