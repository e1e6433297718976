// Who is kept out, or soon will be, without anybody having meant it? A gateway at which
// nobody has any right, and secrets of robots that have ended or end within two weeks.
import type { Accounts, RobotSecret } from '../identity/accounts.ts'
import type { CertificateEntry } from '../identity/certificate-accounts.ts'
import type { PolicyRule } from '../policy/rules.ts'
import { isKnown } from './rule-warnings.ts'

/** What gives rights. */
export interface Giving {
  readonly policy: readonly PolicyRule[]
  readonly masterKey: string
  readonly tokens: { readonly issuers: readonly unknown[] }
  readonly identity: { readonly certificates: readonly CertificateEntry[] }
  readonly federation: { readonly rules: readonly unknown[] }
}

/** Seconds before its end at which a secret is spoken of. */
export const SOON = 14 * 86_400

/** One line each. @param now seconds since the epoch */
export function accountWarnings (
  { policy, masterKey, tokens, identity: { certificates }, federation }: Giving,
  accounts: Accounts,
  now: number
): string[] {
  const hasRights = masterKey !== '' || tokens.issuers.length > 0 || federation.rules.length > 0 ||
    policy.some(({ subjects }) => subjects.some(subject => isKnown(subject, { ...accounts, certificates })))
  const nobody = hasRights
    ? []
    : ['nobody has any right: no rule of policy is for somebody who is there, and there is no masterKey']
  const robots = [...accounts.robots.values()].filter(({ disabled }) => !disabled)
  return [...nobody, ...robots.flatMap(({ name, place, secrets }) => secrets.flatMap(secret => {
    const sentence = endOf(secret, now)
    return sentence === undefined ? [] : [`${place}: a secret of the robot ${name} ${sentence}`]
  }))]
}

function endOf ({ expires = Infinity }: RobotSecret, now: number): string | undefined {
  if (expires - now > SOON) return undefined
  const when = new Date(expires * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
  return expires <= now
    ? `ended at ${when}: take it out, or give the robot a new one`
    : `ends at ${when}: give the robot a new one beside it`
}
