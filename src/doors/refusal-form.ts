// In what form does each door refuse? Its body, and the challenge that goes with a 401, by
// the kind of what was asked.
import { basicChallenge, challenges, type ChallengeError, type ChallengeSource } from '../http/challenge.ts'
import { bodyOf, tokenBodyOf, type Refusal } from '../http/errors.ts'
import type { ParsedTarget } from './request-target.ts'
import { needsOf } from './needs.ts'
import { OCI_HEADERS, ociBodyOf, ociScopeOf } from './oci/errors.ts'

export interface RefusalForm {
  /** What the body says, as JSON. */
  body (refusal: Refusal): object
  /** The values of WWW-Authenticate. */
  challenge (source: ChallengeSource, error: ChallengeError | undefined): readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

const TOKEN_FORM: RefusalForm = { body: tokenBodyOf, challenge: source => [basicChallenge(source)] }

export function refusalFormOf (target: ParsedTarget): RefusalForm {
  if (target.kind === 'own' && target.endpoint === 'token') return TOKEN_FORM
  const needs = needsOf(target)
  const access = typeof needs === 'string' ? undefined : needs[0]
  if (isOfRegistry(target)) {
    const scope = access === undefined ? undefined : ociScopeOf(access)
    return { body: ociBodyOf, challenge: (source, error) => challenges(source, scope, error), headers: OCI_HEADERS }
  }
  return { body: bodyOf, challenge: (source, error) => challenges(source, access, error) }
}

function isOfRegistry (target: ParsedTarget): boolean {
  return target.kind === 'oci' || (target.kind === 'refused' && target.form === 'oci')
}

/** Only who came with a Bearer credential is told what was wrong with it (RFC 6750 section 3.1). */
export function challengeErrorOf ({ code }: Refusal, cameAsBasic: boolean): ChallengeError | undefined {
  if (code === 'insufficient_scope') return 'insufficient_scope'
  return code === 'missing_credentials' || cameAsBasic ? undefined : 'invalid_token'
}
