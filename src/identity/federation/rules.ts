// Which rule takes a job? Every claim that a rule's `match` names has to be there with one of
// its values, to the letter; the first rule that fits counts. Pure: it knows what a verified
// token says, and no clock and no keys.
import { createHash } from 'node:crypto'
import type { Federated, OwnRights } from '../../words/principal.ts'
import { compileRules } from '../../policy/rules.ts'
import { textOf } from '../../tokens/in-words.ts'
import type { JsonObject } from '../../tokens/signature.ts'
import { claimOf } from './claims.ts'
import type { FederationRule, ProviderConfig } from './federation-config.ts'
import { KINDS, type FederationKind } from './kinds.ts'
import { fillTemplate } from './template.ts'

/** A rule ready to be asked. */
export interface CompiledRule {
  /** Of all that it and its provider say: one that is changed is another rule. */
  readonly id: string
  /** federation.rules[0] */
  readonly place: string
  readonly config: FederationRule
  readonly provider: ProviderConfig
  /** What it allows whom it takes, beside what the policy gives their groups. */
  readonly rights: OwnRights
}

export type Match =
  | { readonly ok: true, readonly subject: string, readonly federated: Federated }
  | {
    readonly ok: false
    /** The end of "it does not match because". */
    readonly because: string
    /** Claims of `match` that are as they have to be, before the first that is not. */
    readonly met: number
  }

/** @param index its place in the configuration */
export function compileFederationRule (config: FederationRule, index: number, provider: ProviderConfig): CompiledRule {
  const place = `federation.rules[${index}]`
  // Where its files lie differs between gateways that share their keys, and says nothing of jobs.
  const { jwksFile, ca, tokenFile, ...said } = provider
  const text = JSON.stringify([config, said], (_, value: unknown) => isPlain(value) ? sorted(value) : value)
  const { repositories, actions, subject } = config
  const rules = compileRules([{ repositories, actions, subjects: [subject] }])
  return {
    id: createHash('sha256').update(text).digest('base64url').slice(0, 22),
    place,
    config,
    provider,
    rights: {
      place,
      rows: repositories.map(tenants => ({ tenants, actions })),
      find: (tenant, action) => rules.find([subject], tenant, action) === undefined ? undefined : place
    }
  }
}

/** Whether a rule takes a job of its provider that says this. */
export function matchRule ({ id, config, provider: { kind } }: CompiledRule, claims: JsonObject): Match {
  const pins = Object.entries(config.match)
  for (const [met, [claim, values]] of pins.entries()) {
    const reading = claimOf(kind, claims, claim)
    if (reading.is !== 'text') return { ok: false, because: `${claim} ${inWords(reading.is)}`, met }
    if (!values.includes(reading.text)) {
      const wanted = values.map(textOf).join(' or ')
      return { ok: false, because: `${claim} is ${textOf(reading.text)}, and has to be ${wanted}`, met }
    }
  }
  const met = pins.length
  const veto = vetoOf(kind, config, claims)
  if (veto !== undefined) return { ok: false, because: veto, met }
  const valueOf = (claim: string): string | undefined => {
    const reading = claimOf(kind, claims, claim)
    return reading.is === 'text' ? reading.text : undefined
  }
  const filled = fillTemplate(config.subject, valueOf)
  if (!filled.ok) {
    const because = `${filled.claim} is missing, or nothing that may stand in a subject (${config.subject})`
    return { ok: false, because, met }
  }
  const ids = Object.entries(KINDS[kind].ids).flatMap(([name, claim]) => {
    const value = valueOf(claim)
    return value === undefined ? [] : [[name, printable(value)] as const]
  })
  return { ok: true, subject: filled.subject, federated: { rule: id, ids: Object.fromEntries(ids) } }
}

/** Why what set the job off keeps it out, where it does. */
function vetoOf (kind: FederationKind, { match }: FederationRule, claims: JsonObject): string | undefined {
  const { event } = KINDS[kind]
  if (event === undefined || match[event.claim] !== undefined) return undefined
  const reading = claimOf(kind, claims, event.claim)
  if (reading.is !== 'text') return `${event.claim} ${inWords(reading.is)}`
  return event.vetoed.includes(reading.text)
    ? `${event.claim} is ${textOf(reading.text)}, which somebody outside can set off: name it in match, if it is meant`
    : undefined
}

function inWords (is: 'missing' | 'no single value'): string {
  return is === 'missing' ? 'is missing' : 'is no single value'
}

const LONGEST_ID = 200

/** It stands in the audit log. */
function printable (text: string): string {
  return text.replace(/\p{C}/gu, '?').slice(0, LONGEST_ID)
}

function isPlain (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The same in one order of keys. */
function sorted (value: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1))
}
