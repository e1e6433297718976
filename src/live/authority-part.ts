// Accounts and rules of a running gateway, when their files change. What takes rights away
// counts from its own sound file, whatever else is broken: an account that is gone or
// disabled, a secret, a password, a group, a rule. What adds rights counts when all files
// were read sound, as they were at one moment. A file that is missing takes nothing away:
// it may be on its way, and who is in it cannot be known.
import { takingAway, type Entries } from './taken-away.ts'
import { inTurns, type Steps } from '../lib/steps.ts'
import type { FileAccounts } from '../identity/sources/accounts-file.ts'
import { authorityOf, authorityOfData, MAY_NOT_BE_MEANT, type Policies, type Policy } from './authority.ts'
import { stampsOf } from '../files/files.ts'
import type { LivePart, Look, ReloadLog, ReloadOutcome } from './part.ts'
import type { OpenedAuthority } from './reload.ts'

/** What a file said when it had this stamp. */
interface KnownAccounts {
  readonly stamp: string
  readonly accounts: FileAccounts
}

type Found = Pick<ReloadOutcome, 'changed' | 'mistakes'>

const NOTHING: Found = { changed: [], mistakes: [] }

/** @param opened what is in force, and the files that it was read from */
export function authorityPart ({ live, stamps: atStart }: Pick<OpenedAuthority, 'live' | 'stamps'>): LivePart {
  const known = new Map<string, KnownAccounts>()
  /** Files are others than those of what is in force. */
  let isOther = false

  /** Reads what is not known yet; true when all that is known then was so at one moment. */
  async function read ({ config, stamps, asked, reader }: Look): Promise<boolean> {
    const { files } = config.accounts
    for (const file of known.keys()) if (!files.includes(file)) known.delete(file)
    const stale = files.filter(file => {
      const before = known.get(file)
      return asked || before?.accounts.again === true || before?.stamp !== stamps.get(file)
    })
    const texts = await Promise.all(stale.map(async file => [file, await reader.text(file)] as const))
    const then = new Map([...stamps, ...reader.stamps])
    const now = await stampsOf([...stamps.keys()])
    for (const [file, read] of texts) {
      isOther ||= read.stamp !== (known.get(file)?.stamp ?? atStart.get(file))
      const accounts = read.ok
        ? await reader.accounts(file, read.text)
        : { users: [], robots: [], mistakes: [read.mistake], again: true }
      known.set(file, { stamp: read.stamp, accounts })
    }
    return [...now].every(([file, stamp]) => then.get(file) === stamp)
  }

  async function putInForce (entries: Entries, { config }: Look, log: ReloadLog): Promise<Found> {
    const loaded = await authorityOf(config, entries)
    if (!loaded.ok) return { ...NOTHING, mistakes: loaded.mistakes }
    const isOld = await inTurns(isSame(live.current.policies.at(-1) as Policy, config.policy))
    const changed = [...isOther ? ['accounts.files'] : [], ...isOld ? [] : ['policy']]
    isOther = false
    live.current = loaded.authority
    const { users, robots } = loaded.authority.accounts
    const counts = { users: users.size, robots: robots.size, rules: config.policy.length }
    log.info(counts, 'accounts and rules were read again')
    for (const warning of loaded.warnings) log.warn({ warning }, MAY_NOT_BE_MEANT)
    return { ...NOTHING, changed }
  }

  async function takeAway (
    said: Entries,
    broken: readonly string[],
    { config, sound }: Look,
    log: ReloadLog
  ): Promise<readonly string[]> {
    const { accounts, policies: before } = live.current
    const left = await inTurns(takingAway(accounts, said, file => broken.includes(file)))
    const isOld = !sound || await inTurns(isSame(before.at(-1) as Policy, config.policy))
    const policies: Policies = isOld ? before : [before[0], config.policy]
    if (!left.less && policies === before) return []
    live.current = await authorityOfData({ users: left.users, robots: left.robots, policies })
    log.warn(
      { users: left.users.length, robots: left.robots.length },
      'what was taken away is in force; what is new waits until every file can be used'
    )
    return [...left.less ? ['accounts.files'] : [], ...isOld ? [] : ['policy']]
  }

  return {
    files: async ({ accounts }) => accounts.files,
    async load (look, log): Promise<ReloadOutcome> {
      const atOneMoment = await read(look)
      const found = look.config.accounts.files.map(file => ({ file, ...(known.get(file) as KnownAccounts).accounts }))
      const usable = found.filter(({ mistakes }) => mistakes.length === 0)
      const said = { users: usable.flatMap(({ users }) => users), robots: usable.flatMap(({ robots }) => robots) }
      let mistakes = found.flatMap(each => each.mistakes)
      if (look.sound && mistakes.length === 0 && atOneMoment) {
        const found = await putInForce(said, look, log)
        if (found.mistakes.length === 0) return { ...found, again: false }
        mistakes = [...found.mistakes]
      }
      const broken = found.filter(each => !usable.includes(each)).map(({ file }) => file)
      const changed = await takeAway(said, broken, look, log)
      return { changed, mistakes, again: !atOneMoment || found.some(({ again }) => again === true) }
    }
  }
}

/** True when two policies say the same, wherever it stands. */
function * isSame (one: Policy, other: Policy): Steps<boolean> {
  if (one.length !== other.length) return false
  for (const [i, rule] of one.entries()) {
    if (ruleWords(rule) !== ruleWords(other[i] as Policy[number])) return false
    yield
  }
  return true
}

function ruleWords ({ repositories, subjects, actions }: Policy[number]): string {
  return [repositories, subjects, actions].map(words => words.join(' ')).join(',')
}
