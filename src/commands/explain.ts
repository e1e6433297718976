// `chartgate explain`: may somebody do something, which rule says so, and why not? What may
// they do at all, and who may do it? The same decision as at every door, asked without a
// request.
import { loadAuthority, type Authority } from '../live/authority.ts'
import type { Config, PlacedRule } from '../config/schema.ts'
import { ACTIONS, type Access, type Action } from '../words/access.ts'
import { isTenantName } from '../words/tenant.ts'
import { AUTHENTICATED, EVERYONE } from '../words/subject.ts'
import { ANONYMOUS, MASTER, type Principal } from '../words/principal.ts'
import { decide } from '../policy/decide.ts'
import { nearestRule, rightsOf } from '../policy/why.ts'
import { certificatesIn, namedAsker, provenAsker, refusalOf, type Asker } from './asker.ts'
import { fail, printJson, printTable, type Command, type ExitCode, type Io, type WrongUsage } from './command.ts'
import { configured, type Configured } from './configured.ts'
import { readCredential } from './credential.ts'

export const EXPLAIN: Command = configured(runExplain)

/** What is asked, and by what it is judged. */
interface Question {
  readonly config: Config
  readonly authority: Authority
  readonly io: Io
  readonly json: boolean
}

const HOW = ['as', 'token', 'token-file', 'who'] as const

async function runExplain ({ config, options, io, words }: Configured): Promise<ExitCode | WrongUsage> {
  if (HOW.filter(name => options[name] !== undefined).length !== 1) {
    return { wrong: ['explain needs one of --as SUBJECT, --token TOKEN, --token-file FILE and --who'] }
  }
  if (/^cgr_/.test(options.token ?? '')) {
    return { wrong: ['others can see a robot\'s secret on the command line: use --token - or --token-file'] }
  }
  if (options.who === true && words.length === 0) return { wrong: ['explain --who needs ACTION TENANT'] }
  const [action, tenant] = words as [] | [Action, string]
  if (action !== undefined && !ACTIONS.includes(action)) {
    return { wrong: [`${JSON.stringify(action)} is no action: ${ACTIONS.join(', ')}`] }
  }
  const { depth } = config.charts
  if (tenant !== undefined && !isTenantName(tenant, depth)) {
    return fail(io, `${JSON.stringify(tenant)} is not the name of a tenant of depth ${depth}`)
  }
  const loaded = await loadAuthority(config)
  if (!loaded.ok) return fail(io, ...loaded.mistakes)
  const { authority } = loaded
  const question = { config, authority, io, json: options.json === true }
  const access = action === undefined ? undefined : accessTo(action, tenant as string)
  if (options.who === true) return explainWho(question, access as Access)

  let asker: Asker
  if (options.as !== undefined) asker = namedAsker(options.as, authority.accounts, certificatesIn(config))
  else {
    const credential = await readCredential(options, io)
    if (!credential.ok) return fail(io, credential.message)
    asker = await provenAsker(credential.text, config, authority.accounts)
  }
  switch (asker.is) {
    case 'mistake': return fail(io, ...asker.mistakes)
    case 'refused': return denied(question, asker.because, { ...asked(access), subject: asker.subject ?? null })
    case 'somebody':
      return access === undefined
        ? explainRights(question, asker.principal)
        : explainOne(question, asker.principal, access)
  }
}

function accessTo (action: Action, tenant: string): Access {
  return { type: 'artifact-repository', name: tenant, action }
}

function asked (access: Access | undefined): object {
  return access === undefined ? {} : { action: access.action, tenant: access.name }
}

function denied ({ io, json }: Question, because: string, facts: object): ExitCode {
  if (json) printJson(io, { allowed: false, ...facts, because })
  else io.stdout(`denied: ${because}\n`)
  return 3
}

function explainOne (question: Question, principal: Principal, access: Access): ExitCode {
  const { config, authority, io, json } = question
  const { subject } = principal
  const { action, name: tenant } = access
  const facts = { subject, action, tenant }
  const decision = decide(principal, access, authority.rules)
  if (!decision.allowed) {
    const because = `${subject} has no right to ${action} on ${tenant}: ${whyNot(config, principal, access)}`
    return denied(question, because, facts)
  }
  if (json) printJson(io, { allowed: true, ...facts, by: decision.by, place: lineOf(decision.by, config) ?? null })
  else io.stdout(`allowed: ${subject} may ${action} on ${tenant} by ${placeOf(decision.by, config)}\n`)
  return 0
}

/** What would have to be otherwise. */
function whyNot (config: Config, { subject, subjects, grants }: Principal, { action, name }: Access): string {
  if (grants !== undefined) {
    const given = grants.map(grant => `${grant.actions.join(', ')} on ${grant.name}`)
    return `the token grants ${given.join(' and ') || 'nothing'}`
  }
  const near = nearestRule(config.policy, subjects, name, action)
  if (near === undefined) return `no rule gives it there, and none gives it to ${subject}`
  const rule = config.policy[near.rule] as PlacedRule
  const place = placeOf(`policy[${near.rule}]`, config)
  switch (near.lacks) {
    case 'action': {
      const named = rule.subjects.filter(each => subjects.includes(each))
      return `${place} gives ${named.join(' and ')} ${rule.actions.join(', ')} there, and no more`
    }
    case 'subject': return `${place} gives it to ${some(rule.subjects)}`
    case 'tenant': return `${place} gives it on ${some(rule.repositories)}`
  }
}

const MOST_NAMED = 5

function some (names: readonly string[]): string {
  const more = names.length - MOST_NAMED
  return [...names.slice(0, MOST_NAMED), ...more > 0 ? [`${more} more`] : []].join(', ')
}

/** All rights of somebody, a line for each pattern. */
function explainRights (question: Question, principal: Principal): ExitCode {
  const { kind, subject, subjects, grants, rights: ownRights } = principal
  const { config, io, json } = question
  const own = grants === undefined && kind === 'key'
    ? [{ tenants: '**', actions: ACTIONS, by: ['master key'] }]
    : [
        ...(grants ?? []).map(({ name, actions }) => ({ tenants: name, actions, by: ['token'] })),
        ...(ownRights?.rows ?? []).map(row => ({ ...row, by: [String(ownRights?.place)] }))
      ]
  const byRules = rightsOf(config.policy, subjects).map(({ tenants, actions, rules }) => {
    return { tenants, actions, by: rules.map(rule => `policy[${rule}]`) }
  })
  const rights = [...own, ...own.some(({ tenants }) => tenants === '**') ? [] : byRules]
  if (rights.length === 0) return denied(question, `${subject} has no right on any tenant`, { subject, rights })
  if (json) printJson(io, { subject, rights })
  else {
    printTable(io, [
      ['TENANTS', 'RIGHTS', 'BY'],
      ...rights.map(({ tenants, actions, by }) => {
        return [tenants, actions.join(' '), by.map(each => placeOf(each, config)).join(', ')]
      })
    ])
  }
  return 0
}

/** Who may do it: everyone, or whoever does not stand for somebody else in the list. */
function explainWho (question: Question, access: Access): ExitCode {
  const { config, authority: { accounts, rules }, io, json } = question
  const { action, name: tenant } = access
  const anyAccount: Principal = { kind: 'user', subject: AUTHENTICATED, subjects: [AUTHENTICATED, EVERYONE] }
  const all = [ANONYMOUS, anyAccount, ...[...accounts.users.values(), ...accounts.robots.values()]
    .filter(account => refusalOf(account) === undefined)
    .map(({ principal }) => principal), ...certificatesIn(config).principals.values()]
  const allowed = all.flatMap(principal => {
    const decision = decide(principal, access, rules)
    return decision.allowed ? [{ principal, by: decision.by }] : []
  })
  const everyone = allowed.find(({ principal: { subject } }) => subject === EVERYONE || subject === AUTHENTICATED)
  const who = [
    ...(everyone === undefined ? allowed : [everyone]).map(({ principal, by }) => {
      return { subject: principal.subject, as: subjectIn(by, principal, config), by }
    }),
    ...config.masterKey === '' ? [] : [{ subject: MASTER.subject, as: MASTER.subject, by: 'master key' }]
  ]
  if (who.length === 0) {
    const because = `nobody may ${action} on ${tenant}: ${whyNot(config, ANONYMOUS, access)}`
    return denied(question, because, { ...asked(access), who })
  }
  if (json) printJson(io, { ...asked(access), who })
  else printTable(io, [['WHO', 'AS', 'BY'], ...who.map(({ subject, as, by }) => [subject, as, placeOf(by, config)])])
  return 0
}

/** The subject that the rule names. */
function subjectIn (by: string, { subjects }: Principal, { policy }: Config): string {
  const { subjects: named } = policy[indexOf(by) as number] as PlacedRule
  return subjects.find(each => named.includes(each)) as string
}

function indexOf (by: string): number | undefined {
  const index = /^policy\[(\d+)\]$/.exec(by)?.[1]
  return index === undefined ? undefined : Number(index)
}

/** A rule with its line, as an editor finds it. */
function placeOf (by: string, config: Config): string {
  const line = lineOf(by, config)
  if (line !== undefined) return `${by} (${line})`
  return by.includes('[') ? by : `the ${by}`
}

/** FILE:LINE of a rule; undefined for what is none. */
function lineOf (by: string, { file, policy }: Config): string | undefined {
  const index = indexOf(by)
  return index === undefined ? undefined : `${file}:${policy[index]?.line}`
}
