// From the file's words to what the program works with: providers and rules of `federation`,
// with files absolute, durations in seconds and values of claims as the texts they are compared by.
import { resolve } from 'node:path'
import { readDuration } from '../files/units.ts'
import { scalarText } from '../identity/federation/claims.ts'
import type {
  FederationConfig, FederationRule, ProviderConfig
} from '../identity/federation/federation-config.ts'
import type { ConfigFile } from './schema.ts'

type Written = ConfigFile['federation']

/** Seconds that a token counts after its issue, where its rule does not say otherwise. */
const USUAL_LIFETIME = 3_600

/** @param base what relative paths are relative to */
export function settleFederation ({ providers, rules }: Written, base: string): FederationConfig {
  return {
    providers: providers.map(provider => settleProvider(provider, base)),
    rules: rules.map(settleRule)
  }
}

function settleProvider ({ clockSkew, ...provider }: Written['providers'][number], base: string): ProviderConfig {
  const files = (['jwksFile', 'ca', 'tokenFile'] as const).flatMap(name => {
    const file = provider[name]
    return file === undefined ? [] : [[name, resolve(base, file)] as const]
  })
  return {
    ...provider,
    ...Object.fromEntries(files),
    ...(clockSkew === undefined ? {} : { clockSkew: readDuration(clockSkew) })
  }
}

function settleRule ({ match, maxLifetime, ...rule }: Written['rules'][number]): FederationRule {
  return {
    groups: [],
    repositories: [],
    actions: [],
    ...rule,
    match: textsOf(match),
    maxLifetime: maxLifetime === undefined ? USUAL_LIFETIME : readDuration(maxLifetime)
  }
}

/** By claim: its values as texts. A number that has no text of its own is left out, and complained about elsewhere. */
export function textsOf (match: Written['rules'][number]['match']): Record<string, string[]> {
  return Object.fromEntries(Object.entries(match).map(([claim, values]) => {
    return [claim, [values].flat().flatMap(value => scalarText(value) ?? [])]
  }))
}
