// What does `federation` need? Providers whose tokens are for this gateway alone and whose keys
// come from where the configuration says, and rules that say whom they are for so exactly that
// nobody else can be meant: a vague one is refused with what is missing (KINDS has the table).
import { nearest, showText, type Mistake } from '../files/mistakes.ts'
import { readDuration } from '../files/units.ts'
import { isSafeUrl } from '../lib/safe-url.ts'
import {
  isAnyClusters, isSharedAudience, KINDS, kindOfIssuer, kindOfSubject, type Pin, type PinRow
} from '../identity/federation/kinds.ts'
import { isTemplate } from '../identity/federation/template.ts'
import { textsOf } from './federation.ts'
import type { ConfigFile } from './schema.ts'

type ProviderWords = ConfigFile['federation']['providers'][number]
type RuleWords = ConfigFile['federation']['rules'][number]
/** The end of a key, and what is wrong with its value. */
type Fault = readonly [key: string, sentence: string]

const MOST_CLOCK_SKEW = 300
const SHORTEST_LIFETIME = 60
const LONGEST_LIFETIME = 86_400

/** @param sound whether nobody complained about a key already */
export function federationMistakes (
  { federation, tokens, publicUrl }: ConfigFile,
  sound: (key: string) => boolean
): Mistake[] {
  if (!sound('federation')) return []
  const { providers, rules } = federation
  const taken = sound('tokens') ? issuersOf(tokens, publicUrl) : new Map<string, string>()
  const at = (place: string, faults: readonly Fault[]): Mistake[] => {
    return faults.map(([key, sentence]) => ({ key: `${place}${key}`, sentence }))
  }
  return [
    ...providers.flatMap((provider, i) => at(`federation.providers[${i}]`, [
      ...providerFaults(provider), ...amongOthers(provider, i, providers, taken)
    ])),
    ...rules.flatMap((rule, i) => at(`federation.rules[${i}]`, ruleFaults(rule, providers)))
  ]
}

/** Who has an `iss` already, by it. */
function issuersOf ({ issuer, issuers }: ConfigFile['tokens'], publicUrl: string): Map<string, string> {
  return new Map([
    ...issuers.flatMap(({ issuer: other }, i) => {
      return other === undefined ? [] : [[other, `tokens.issuers[${i}]`] as const]
    }),
    issuer === '' ? [publicUrl, 'publicUrl'] : [issuer, 'tokens.issuer']
  ])
}

function providerFaults (provider: ProviderWords): Fault[] {
  const { issuer, kind, audience, jwksUrl, jwksFile, ca, tokenFile, clockSkew } = provider
  const faults: Fault[] = []
  if (!isSafeUrl(issuer) || issuer.includes('?')) {
    return [['.issuer', `${showText(issuer)} is not an https URL without query, or an http one on loopback: ` +
      'write it as `iss` of its tokens is']]
  }
  const known = kindOfIssuer(issuer)
  if (known !== undefined && known !== kind) {
    faults.push(['.kind', `${showText(issuer)} is of kind ${known}: as ${kind} its rules could be vague`])
  }
  if (isSharedAudience(kind, issuer, audience)) {
    faults.push(['.audience', `${showText(audience)} is what the platform gives by itself, and tokens for others ` +
      'have it too: have one made for this gateway, such as its publicUrl'])
  }
  if (jwksUrl !== undefined && !isSafeUrl(jwksUrl)) {
    faults.push(['.jwksUrl', `${showText(jwksUrl)} is not an https URL, or an http one on loopback: ` +
      'whoever can change what comes from there can be every job'])
  }
  if (jwksUrl !== undefined && jwksFile !== undefined) {
    faults.push(['', 'it needs one of jwksUrl and jwksFile, or none'])
  }
  if (jwksFile !== undefined && ca !== undefined) faults.push(['.ca', 'with jwksFile nothing is fetched'])
  if (tokenFile !== undefined && jwksUrl === undefined) {
    faults.push(['.tokenFile', 'it is sent to jwksUrl alone, which is not there'])
  }
  if (jwksUrl === undefined && jwksFile === undefined && isAnyClusters(issuer)) {
    faults.push(['.issuer', `${showText(issuer)} is what many clusters are called: jwksUrl or jwksFile has to say ` +
      'which one\'s keys count'])
  }
  if (clockSkew !== undefined && readDuration(clockSkew) > MOST_CLOCK_SKEW) {
    faults.push(['.clockSkew', `"${clockSkew}" is more than 5m: for so long a token would count that has ended`])
  }
  return faults
}

function amongOthers (
  { name, issuer, jwksUrl, jwksFile }: ProviderWords,
  i: number,
  providers: readonly ProviderWords[],
  taken: ReadonlyMap<string, string>
): Fault[] {
  const faults: Fault[] = []
  const named = providers.findIndex(each => each.name === name)
  if (named < i) faults.push(['.name', `the name ${name} is there already, at federation.providers[${named}]`])
  const owner = taken.get(issuer)
  if (owner !== undefined) faults.push(['.issuer', `it is ${owner} too: nobody could say which of them a token is of`])
  const twin = providers.slice(0, i).findIndex(other => {
    const apart = (jwksUrl ?? jwksFile) !== undefined && (other.jwksUrl ?? other.jwksFile) !== undefined &&
      (jwksUrl !== other.jwksUrl || jwksFile !== other.jwksFile)
    return other.issuer === issuer && !apart
  })
  if (twin >= 0) {
    faults.push(['.issuer', `federation.providers[${twin}] is called so too, and only keys can tell them apart: ` +
      'each needs a jwksUrl or jwksFile of its own'])
  }
  return faults
}

function ruleFaults (rule: RuleWords, providers: readonly ProviderWords[]): Fault[] {
  const { subject, groups, repositories, actions, maxLifetime } = rule
  const provider = providers.find(({ name }) => name === rule.provider)
  const faults: Fault[] = []
  if (provider === undefined) {
    const near = nearest(rule.provider, providers.map(({ name }) => name))
    faults.push(['.provider', `${showText(rule.provider)} is no provider` +
      (near === undefined ? '' : `: did you mean ${near}?`)])
  }
  if (!isTemplate(subject)) {
    faults.push(['.subject', `${showText(subject)} is not ci:WORD: and a name, with claims in braces, such as ` +
      'ci:github:{repository}'])
  }
  if ((repositories === undefined) !== (actions === undefined)) {
    faults.push(['', 'repositories and actions come together: where, and what'])
  } else if (repositories === undefined && groups === undefined) {
    faults.push(['', 'it gives nothing: it needs repositories and actions, or groups'])
  }
  if (maxLifetime !== undefined && !isWithin(readDuration(maxLifetime), SHORTEST_LIFETIME, LONGEST_LIFETIME)) {
    faults.push(['.maxLifetime', `"${maxLifetime}" is not a duration from 1m to 24h`])
  }
  faults.push(...valueFaults(rule.match))
  if (provider !== undefined) faults.push(...missingRows(rule, provider), ...borrowedSubject(rule, provider))
  return faults
}

function valueFaults (match: RuleWords['match']): Fault[] {
  return Object.entries(match).flatMap(([claim, values]): Fault[] => {
    const all = [values].flat()
    if (all.some(value => typeof value === 'number' && !Number.isSafeInteger(value))) {
      return [[`.match.${claim}`, 'a number of so many digits is rounded: write it in quotes']]
    }
    return all.some(value => typeof value === 'string' && value.includes('*'))
      ? [[`.match.${claim}`, 'values are compared whole, and * stands for nothing: name each']]
      : []
  })
}

/** What the rule does not say, a row of its kind each. */
function missingRows ({ match }: RuleWords, { kind }: ProviderWords): Fault[] {
  const { rows, neverPins } = KINDS[kind]
  const texts = textsOf(match)
  const missing = rows.filter(({ oneOf }) => !oneOf.some(pins => pins.every(pin => isPinned(pin, texts))))
  const stray = Object.keys(texts).flatMap(claim => {
    return Object.hasOwn(neverPins, claim) ? [`; ${claim} does not count: ${neverPins[claim]}`] : []
  })
  return missing.map((row, i) => {
    const notes = i === 0 ? stray.join('') : ''
    return ['.match', `it does not say ${row.says}: name ${wordsOf(row)}, because ${row.because}${notes}`]
  })
}

/** A `sub` of another kind's jobs, which that kind does not count as a pin. */
function borrowedSubject ({ match }: RuleWords, { name, kind }: ProviderWords): Fault[] {
  if (kind !== 'generic') return []
  const other = (textsOf(match)['sub'] ?? []).map(kindOfSubject).find(each => each !== undefined)
  return other === undefined
    ? []
    : [['.match.sub', `a job of ${other} is called so, by names that somebody else may have later: provider ` +
      `${name} is of kind ${other}`]]
}

function isPinned (pin: Pin, texts: Readonly<Record<string, readonly string[]>>): boolean {
  const [claim, only] = pin.split('=') as [string, string | undefined]
  const values = texts[claim]
  if (values === undefined || values.length === 0) return false
  return only === undefined || values.every(value => value === only)
}

/** `repository_id and repository_owner_id, or …`. */
export function wordsOf ({ oneOf }: PinRow): string {
  return oneOf.map(pins => pins.map(pin => pin.replace('=', ': ')).join(' and ')).join(', or ')
}

function isWithin (number: number, least: number, most: number): boolean {
  return least <= number && number <= most
}
