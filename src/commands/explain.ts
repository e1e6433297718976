// `chartgate explain`: may somebody do something, and which rule says so? The same
// decision as at every door, asked without a request.
import { loadAuthority, type Authority } from '../live/authority.ts'
import { openKeys } from '../live/live-keys.ts'
import type { Config } from '../config/schema.ts'
import { ACTIONS, type Action } from '../words/access.ts'
import { isTenantName } from '../words/tenant.ts'
import { createAccountSources, isSomebody } from '../identity/sources.ts'
import { createAttempts } from '../limits/attempts.ts'
import { AUTHENTICATED, EVERYONE, isSubject, readSubject } from '../words/subject.ts'
import { ANONYMOUS, MASTER, type Principal } from '../words/principal.ts'
import { CLOCK } from '../lib/clock.ts'
import { judge } from '../judge.ts'
import { createVerifier } from '../tokens/verify.ts'
import { fail, type Command, type ExitCode, type WrongUsage } from './command.ts'
import { configured, type Configured } from './configured.ts'

export const EXPLAIN: Command = configured(runExplain, ['as', 'token'], ['ACTION', 'TENANT'])

async function runExplain ({ config, options, io, words }: Configured): Promise<ExitCode | WrongUsage> {
  const [action, tenant] = words as [Action, string]
  if ((options.as === undefined) === (options.token === undefined)) {
    return { wrong: ['explain needs --as SUBJECT or --token TOKEN'] }
  }
  if (!ACTIONS.includes(action)) return { wrong: [`${JSON.stringify(action)} is no action: ${ACTIONS.join(', ')}`] }
  const { depth } = config.charts
  if (!isTenantName(tenant, depth)) {
    return fail(io, `${JSON.stringify(tenant)} is not the name of a tenant of depth ${depth}`)
  }
  const loaded = await loadAuthority(config)
  if (!loaded.ok) return fail(io, ...loaded.mistakes)

  const who = options.as === undefined
    ? await whoseToken(options.token as string, config, loaded.authority)
    : whoIs(options.as, loaded.authority)
  if (typeof who === 'string') return fail(io, who)
  const judgement = judge(who, [{ type: 'artifact-repository', name: tenant, action }], loaded.authority.rules, true)
  if (!judgement.allowed) {
    io.stdout(`denied: ${who.subject} has no right to ${action} on ${tenant}\n`)
    return 3
  }
  io.stdout(`allowed: ${who.subject} may ${action} on ${tenant} by ${placeOf(judgement.by, config)}\n`)
  return 0
}

/** A rule with its line, as an editor finds it. */
function placeOf (by: string, { file, policy }: Config): string {
  const rule = /^policy\[(\d+)\]$/.exec(by)?.[1]
  return rule === undefined || file === undefined ? `the ${by}` : `${by} (${file}:${policy[Number(rule)]?.line})`
}

function whoIs (subject: string, { accounts }: Authority): Principal | string {
  if (subject === MASTER.subject) return MASTER
  if (!isSubject(subject)) {
    return `${JSON.stringify(subject)} is no subject: ` +
      `user:NAME, group:NAME, robot:NAME, anonymous, authenticated or ${MASTER.subject}`
  }
  if (subject === EVERYONE) return ANONYMOUS
  const { kind, name } = readSubject(subject)
  // Nobody in particular of a group, or of all who have an account.
  if (kind === 'group' || subject === AUTHENTICATED) {
    return { kind: 'user', subject, subjects: [...new Set([subject, AUTHENTICATED, EVERYONE])] }
  }
  const account = kind === 'user' ? accounts.users.get(name) : accounts.robots.get(name)
  if (account === undefined) return `${subject} is in no accounts file`
  return account.disabled ? `${subject} is disabled, at ${account.place}` : account.principal
}

async function whoseToken (token: string, config: Config, { accounts }: Authority): Promise<Principal | string> {
  const keys = await openKeys(config, { make: false })
  if (!keys.ok) return keys.mistakes.join('\nchartgate: ')
  const sources = createAccountSources({
    masterKey: '',
    accounts: () => accounts,
    clock: CLOCK,
    attempts: createAttempts(CLOCK.monotonic)
  })
  const verifier = createVerifier({
    keys: () => keys.opened.live.current,
    source: { issuer: config.tokens.issuer, audience: config.tokens.service, ttl: config.tokens.ttl },
    // The master key is the gateway's secret, which need not be known where this is asked.
    knowsSubject: subject => subject === MASTER.subject || isSomebody(sources, subject),
    clock: CLOCK
  })
  const verified = await verifier.verify(token)
  return verified.ok ? verified.principal : `the token is refused: ${verified.code}`
}
