// Token requests, for the scenarios that ask for them: a key as Bearer, one tenant.
import { tokenAnswer } from '../load/expectations.ts'
import { asking, type Ask } from '../load/contestants.ts'
import type { Gateway } from '../lab/gateway.ts'
import type { Lab } from '../lab/lab.ts'
import { TENANT } from '../lab/server.ts'
import { SERVICE } from '../lab/tokens.ts'
import type { Contestant } from '../scenario.ts'

const ASK: Ask = { path: `/oauth/token?service=${SERVICE}&scope=artifact-repository:${TENANT}:pull`, expect: tokenAnswer }

export function askingForTokens (lab: Lab, name: string, gateway: Gateway): Contestant {
  return asking(lab, name, gateway, { ...ASK, authorization: `Bearer ${gateway.masterKey}` })
}
