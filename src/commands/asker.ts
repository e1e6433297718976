// Whom is `explain` asked about? Somebody by name, or whoever a token or a robot's secret
// proves: found as every door finds them, without a request.
import { nearest } from '../files/mistakes.ts'
import type { Accounts, Robot, User } from '../identity/accounts.ts'
import {
  compileCertificates, type CertificateAccounts, type CertificateEntry
} from '../identity/certificate-accounts.ts'
import { createAccountSources, isSomebody } from '../identity/sources.ts'
import { createFederationSource } from '../identity/sources/federation.ts'
import { digestOf, looksLikeSecret } from '../identity/sources/robot-secret.ts'
import { createAttempts } from '../limits/attempts.ts'
import { UNLIMITED } from '../limits/logins.ts'
import { CLOCK } from '../lib/clock.ts'
import { openLiveFederation } from '../live/live-federation.ts'
import { openKeys } from '../live/live-keys.ts'
import type { Config } from '../config/schema.ts'
import { createVerifier } from '../tokens/verify.ts'
import { ANONYMOUS, MASTER, type Principal } from '../words/principal.ts'
import { AUTHENTICATED, EVERYONE, isSubject, readSubject, subjectOf } from '../words/subject.ts'
import { hasBegun, hasEnded, lifeOf } from './secret-times.ts'

export type Asker =
  | { readonly is: 'somebody', readonly principal: Principal }
  /** Refused, whatever they ask for. */
  | { readonly is: 'refused', /** a sentence */ readonly because: string, readonly subject?: string }
  | { readonly is: 'mistake', /** a line each */ readonly mistakes: readonly string[] }

/** Who a subject is: user:alice, anonymous, or the name of one account. */
export function namedAsker (text: string, accounts: Accounts, certificates: CertificateAccounts): Asker {
  const subject = fullSubject(text, accounts)
  if (subject === MASTER.subject) return somebody(MASTER)
  if (!isSubject(subject)) return mistake(noSubject(text, accounts))
  if (subject === EVERYONE) return somebody(ANONYMOUS)
  const { kind, name } = readSubject(subject)
  // Nobody in particular of a group, or of all who have an account.
  if (kind === 'group' || subject === AUTHENTICATED) {
    return somebody({ kind: 'user', subject, subjects: [...new Set([subject, AUTHENTICATED, EVERYONE])] })
  }
  if (kind === 'cert') {
    const principal = certificates.principals.get(name)
    return principal === undefined ? mistake(`${subject} is not in identity.certificates`) : somebody(principal)
  }
  const account = kind === 'user' ? accounts.users.get(name) : accounts.robots.get(name)
  if (account === undefined) return mistake(`${subject} is in no accounts file`)
  const because = refusalOf(account)
  return because === undefined ? somebody(account.principal) : { is: 'refused', because, subject }
}

/** Whom certificates stand for, as the configuration says. */
export function certificatesIn ({ identity }: Pick<Config, 'identity'>): CertificateAccounts {
  return compileCertificates(identity.certificates as CertificateEntry[])
}

/** Why an account is refused whatever it asks for; undefined when it is not. */
export function refusalOf (account: User | Robot): string | undefined {
  const { principal: { subject }, disabled, place } = account
  if (disabled) return `${subject} is disabled, at ${place}`
  if (!('secrets' in account) || account.secrets.some(secret => hasBegun(secret) && !hasEnded(secret))) return undefined
  return `${subject} has no secret that counts now, at ${place}: ${account.secrets.map(lifeOf).join('; ')}`
}

/** user:alice of alice, where that is one account alone. */
function fullSubject (text: string, { users, robots }: Accounts): string {
  const [isUser, isRobot] = [users.has(text), robots.has(text)]
  if (text === EVERYONE || text === AUTHENTICATED || isUser === isRobot) return text
  return subjectOf(isUser ? 'user' : 'robot', text)
}

function noSubject (text: string, { users, robots }: Accounts): string {
  if (users.has(text)) return `${text} is a user and a robot: say user:${text} or robot:${text}`
  const near = nearest(text, [...users.keys(), ...robots.keys()])
  return `${JSON.stringify(text)} is no subject and no account's name: ` +
    (near === undefined
      ? `user:NAME, group:NAME, robot:NAME, cert:NAME, ${EVERYONE}, ${AUTHENTICATED} or ${MASTER.subject}`
      : `did you mean ${near}?`)
}

/** Who a token or a robot's secret proves somebody to be. */
export async function provenAsker (credential: string, config: Config, accounts: Accounts): Promise<Asker> {
  if (credential !== credential.trim()) return refused('there are blanks or line ends around it')
  if (looksLikeSecret(credential)) return robotWith(digestOf(credential), accounts)
  return /^cgr_/.test(credential)
    ? refused('it begins as a robot\'s secret does, and is mistyped or cut off: its checksum is wrong')
    : await bearerOf(credential, config, accounts)
}

function robotWith (digest: string, { secrets }: Accounts): Asker {
  const found = secrets.get(digest)
  if (found === undefined) return refused('no robot of the accounts files has this secret')
  const { robot: { principal, disabled, place }, secret } = found
  if (disabled) return refused(`${principal.subject} is disabled, at ${place}`)
  return hasBegun(secret) && !hasEnded(secret)
    ? somebody(principal)
    : refused(`this secret of ${principal.subject} counts at another time (${lifeOf(secret)}), at ${place}`)
}

async function bearerOf (token: string, config: Config, accounts: Accounts): Promise<Asker> {
  const keys = await openKeys(config, { make: false })
  if (!keys.ok) return { is: 'mistake', mistakes: keys.mistakes }
  const federation = await openLiveFederation(config)
  if (!federation.ok) return { is: 'mistake', mistakes: federation.mistakes }
  const jobs = federation.opened.live.current
  const trusted = keys.opened.live.current
  const job = await createFederationSource({ federation: () => jobs, ours: () => trusted.ours, clock: CLOCK })
    .authenticate({ secret: token })
  if (job?.ok === true) return somebody(job.principal)
  if (job?.ok === false) {
    return refused(`the token is refused: ${job.code} (chartgate federation explain says of each rule why)`)
  }
  const sources = createAccountSources({
    masterKey: () => '',
    accounts: () => accounts,
    clock: CLOCK,
    attempts: createAttempts(CLOCK.monotonic, UNLIMITED)
  })
  const certificates = certificatesIn(config)
  let asked = ''
  const verifier = createVerifier({
    keys: () => trusted,
    source: { issuer: config.tokens.issuer, audience: config.tokens.service, ttl: config.tokens.ttl },
    knowsSubject (subject, rule) {
      asked = subject
      if (rule !== undefined) return jobs.rules.has(rule)
      // The master key is the gateway's secret, which need not be known where this is asked.
      return subject === MASTER.subject || certificates.isActive(subject) || isSomebody(sources, subject)
    },
    clock: CLOCK
  })
  const verified = await verifier.verify(token)
  if (verified.ok) return somebody(verified.principal)
  const why = verified.code === 'token_unknown_subject' ? `, because ${whyUnknown(asked, accounts)}` : ''
  return refused(`the token is refused: ${verified.code}${why}`)
}

function whyUnknown (subject: string, { users, robots }: Accounts): string {
  const { kind, name } = readSubject(subject)
  if (kind === 'cert') return `${subject} is not in identity.certificates`
  if (kind === 'ci') return `the rule of federation that took ${subject} is another one now, or gone`
  const account = kind === 'user' ? users.get(name) : robots.get(name)
  return account === undefined ? `${subject} is in no accounts file` : `${subject} is disabled, at ${account.place}`
}

function somebody (principal: Principal): Asker {
  return { is: 'somebody', principal }
}

function refused (because: string): Asker {
  return { is: 'refused', because }
}

function mistake (...mistakes: readonly string[]): Asker {
  return { is: 'mistake', mistakes }
}
