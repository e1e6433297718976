// What does the configuration say of jobs that have an identity here? Its words as the program
// works with them: files absolute, durations in seconds, values of claims as texts.
import type { Action } from '../../words/access.ts'
import type { FederationKind } from './kinds.ts'

/** A CI platform or a cluster that gives its jobs a token each. */
export interface ProviderConfig {
  readonly name: string
  /** `iss`, to the letter. */
  readonly issuer: string
  readonly kind: FederationKind
  readonly audience: string
  readonly jwksUrl?: string
  readonly jwksFile?: string
  readonly ca?: string
  readonly tokenFile?: string
  readonly clockSkew?: number
  /** Its tokens count at the token endpoint alone, each once. */
  readonly exchangeOnce?: boolean
}

/** Which jobs are let in, and what they may do. */
export interface FederationRule {
  /** The name of its provider. */
  readonly provider: string
  /** By claim: the values that it may have. */
  readonly match: Readonly<Record<string, readonly string[]>>
  readonly subject: string
  readonly groups: readonly string[]
  readonly repositories: readonly string[]
  readonly actions: readonly Action[]
  readonly maxLifetime: number
}

export interface FederationConfig {
  readonly providers: readonly ProviderConfig[]
  readonly rules: readonly FederationRule[]
}
