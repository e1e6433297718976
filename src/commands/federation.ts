// `chartgate federation explain`: which rule takes the token of a job, and why do the others not?
// The same judgement as at every door, said of each rule. The token itself is never printed.
import { REASONS } from '../http/reasons.ts'
import { whyToken, type WhyProvider, type WhyToken } from '../identity/federation/why.ts'
import type { Federation } from '../identity/federation/providers.ts'
import { nearest } from '../files/mistakes.ts'
import { CLOCK } from '../lib/clock.ts'
import { openLiveFederation } from '../live/live-federation.ts'
import { momentText, textOf } from '../tokens/in-words.ts'
import { readToken, type JsonObject } from '../tokens/signature.ts'
import { readCredential } from './credential.ts'
import { fail, printJson, type Command, type ExitCode } from './command.ts'
import { configured, type Configured } from './configured.ts'

export const FEDERATION_EXPLAIN: Command = configured(runExplain)

async function runExplain ({ config, options, io }: Configured): Promise<ExitCode> {
  const read = await readCredential({ token: '-', ...options }, io)
  if (!read.ok) return fail(io, read.message)
  const token = readToken(read.text.trim())
  if (token === undefined) return fail(io, 'that is no token: it has three parts with dots between them')
  const opened = await openLiveFederation(config)
  if (!opened.ok) return fail(io, ...opened.mistakes)
  const federation = opened.opened.live.current
  const { iss } = token.payload
  await Promise.all(federation.providers
    .filter(({ config: { issuer } }) => issuer === iss)
    .map(async ({ remote }) => { await remote?.refresh() }))
  const why = whyToken(federation, token, new Set(), CLOCK)
  if (options.json === true) printJson(io, factsOf(why))
  else for (const line of linesOf(federation, token.payload, why)) io.stdout(`${line}\n`)
  return why.principal === undefined ? 3 : 0
}

function factsOf ({ providers, principal, code }: WhyToken): object {
  return {
    allowed: principal !== undefined,
    subject: principal?.subject ?? null,
    ids: principal?.proof?.federated?.ids ?? null,
    reason: code ?? null,
    providers: providers.map(({ provider, signed, fault, rules }) => ({
      name: provider.config.name,
      signed,
      fault: fault ?? null,
      rules: rules.map(({ rule: { place }, match }) => {
        return { rule: place, takes: match.ok, because: match.ok ? null : match.because }
      })
    }))
  }
}

function linesOf (federation: Federation, payload: JsonObject, { providers, principal, code }: WhyToken): string[] {
  const { iss, sub, aud, iat, exp } = payload
  const times = `issued ${momentText(iat)}, ends ${momentText(exp)}`
  return [
    `the token is of ${textOf(iss)} for ${textOf(aud)}; sub ${textOf(sub)}; ${times}`,
    ...providers.length === 0 ? [noProvider(federation, iss)] : providers.flatMap(providerLines),
    principal === undefined
      ? `denied: ${code}: ${REASONS[code as NonNullable<typeof code>].means}`
      : `allowed: ${principal.subject} by ${principal.rights?.place}, until ${momentText(principal.expires?.wall)}` +
        (principal.exchangeOnly === undefined ? '' : ', at /oauth/token alone, once (exchangeOnce)')
  ]
}

const SIGNED = {
  yes: 'one of its keys has signed it',
  no: 'none of its keys has signed it',
  unknown: 'its keys are not to be had now, and so nobody knows who signed it'
} as const

function providerLines ({ provider: { config }, signed, fault, rules }: WhyProvider): string[] {
  const wrong = fault === undefined
    ? ''
    : `; ${fault}: ${REASONS[fault].means}` +
      (fault === 'token_wrong_claims' ? ` (its audience is to be ${textOf(config.audience)} alone)` : '')
  return [
    `provider ${config.name}: ${SIGNED[signed]}${wrong}`,
    ...rules.length === 0 ? ['  no rule names it'] : [],
    ...rules.map(({ rule: { place }, match }) => {
      return match.ok ? `  ${place} takes it, as ${match.subject}` : `  ${place} does not: ${match.because}`
    })
  ]
}

function noProvider ({ providers }: Federation, iss: unknown): string {
  const issuers = providers.map(({ config: { issuer } }) => issuer)
  const near = typeof iss === 'string' ? nearest(iss, issuers) : undefined
  const hint = near === undefined ? '' : `, to the letter: one has ${textOf(near)}`
  return `no provider of federation has this issuer${hint}`
}
