// Which accounts does a file hold? An accounts file in YAML, or an htpasswd file with
// bcrypt hashes. Every mistake is a line with its place, and no line repeats a hash.
import { isName } from '../../words/subject.ts'
import type { RobotEntry, RobotSecret, UserEntry } from '../accounts.ts'
import { hashFault } from './passwords.ts'
import { AccountsSchema, type AccountsFile } from './accounts-schema.ts'
import { readText } from '../../files/files.ts'
import { inWords, schemaMistakes, unknownKeys } from '../../files/mistakes.ts'
import { parseYaml, pathOfKey, showPlace } from '../../files/yaml.ts'

export interface FileAccounts {
  readonly users: readonly UserEntry[]
  readonly robots: readonly RobotEntry[]
  /** One line each. With any of them the file is not used. */
  readonly mistakes: readonly string[]
  /** Something could not be read, and another try may do. */
  readonly again?: boolean
}

/** Reads a file as it is now. */
export async function readAccountsFile (file: string): Promise<FileAccounts> {
  const read = await readText(file)
  return read.ok ? await accountsOf(file, read.text) : { ...onlyMistakes([read.mistake]), again: true }
}

/**
 * What a text says.
 * @param file its name: one that ends in .yaml or .yml is an accounts file, every other
 * one htpasswd's
 */
export async function accountsOf (file: string, text: string): Promise<FileAccounts> {
  return /\.ya?ml$/.test(file) ? await readAccountsYaml(file, text) : await readHtpasswd(file, text)
}

async function readAccountsYaml (file: string, text: string): Promise<FileAccounts> {
  const read = parseYaml(file, text)
  if (read.value === undefined) return onlyMistakes(inWords(file, read.mistakes, mistake => mistake))
  const { value, mistakes, placeOf } = read
  const found = [...unknownKeys(value, AccountsSchema), ...schemaMistakes(value, AccountsSchema)]
  const faults: string[] = []
  // Of what has a right form more can be wrong.
  const unsound = new Set(found.map(({ key }) => /^(?:users|robots)(?:\[\d+\])?/.exec(key)?.[0]))
  function * sound<L extends 'users' | 'robots'> (list: L): Generator<Placed<L>> {
    const entries = (unsound.has(list) ? undefined : (value as AccountsFile)[list]) ?? []
    for (const [i, entry] of entries.entries()) {
      if (unsound.has(`${list}[${i}]`)) continue
      yield { entry: entry as Placed<L>['entry'], place: showPlace(file, placeOf([list, i])) }
    }
  }

  const users: UserEntry[] = []
  const people = [...sound('users')]
  const hashFaults = await Promise.all(people.map(async ({ entry }) => await hashFault(entry.passwordHash)))
  for (const [i, { entry, place }] of people.entries()) {
    const { name, passwordHash, groups = [], disabled = false } = entry
    const fault = hashFaults[i]
    if (fault !== undefined) faults.push(`${place}: the passwordHash of ${name} cannot be used: ${fault}`)
    users.push({ name, passwordHash, groups, disabled, place })
  }
  const robots: RobotEntry[] = []
  for (const { entry: { name, secrets, groups = [], disabled = false }, place } of sound('robots')) {
    robots.push({
      name,
      groups,
      disabled,
      place,
      secrets: secrets.map(({ hash, notBefore, expires }): RobotSecret => {
        const times = { notBefore: momentOf(notBefore), expires: momentOf(expires) }
        for (const [key, time] of Object.entries(times)) {
          if (!Number.isNaN(time)) continue
          faults.push(`${place}: ${key} of a secret of ${name} is a day that is not in the calendar`)
        }
        return {
          digest: hash.slice('sha256:'.length),
          ...(times.notBefore === undefined ? {} : { notBefore: times.notBefore }),
          ...(times.expires === undefined ? {} : { expires: times.expires })
        }
      })
    })
  }
  const wrong = [...mistakes, ...found, ...faults]
  if (wrong.length === 0) return { users, robots, mistakes: [] }
  return onlyMistakes(inWords(file, wrong, each => {
    return typeof each === 'string'
      ? each
      : `${showPlace(file, placeOf(pathOfKey(each.key)))}: ${each.key}: ${each.sentence}`
  }))
}

/** An entry of a list, and where it stands. */
interface Placed<L extends 'users' | 'robots'> {
  readonly entry: NonNullable<AccountsFile[L]>[number]
  readonly place: string
}

/** Apache's htpasswd -B: name:hash, one a line; empty lines and # are passed over. */
async function readHtpasswd (file: string, text: string): Promise<FileAccounts> {
  const users: UserEntry[] = []
  const mistakes: string[] = []
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const place = showPlace(file, { line: i + 1, column: 1 })
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0))
    const passwordHash = line.slice(colon + 1).trim()
    if (!isName(name)) {
      mistakes.push(`${place}: a line is NAME:HASH, with a name of letters, digits, ".", "_", "@", "+" and "-"`)
    } else if (!passwordHash.startsWith('$2')) {
      mistakes.push(`${place}: the hash of ${name} is not bcrypt: make it with htpasswd -B`)
    } else {
      const fault = await hashFault(passwordHash)
      if (fault !== undefined) mistakes.push(`${place}: the hash of ${name} cannot be used: ${fault}`)
      else users.push({ name, passwordHash, groups: [], disabled: false, place })
    }
  }
  return mistakes.length > 0
    ? onlyMistakes(inWords(file, mistakes, mistake => mistake))
    : { users, robots: [], mistakes: [] }
}

function onlyMistakes (mistakes: readonly string[]): FileAccounts {
  return { users: [], robots: [], mistakes }
}

/** Seconds since the epoch; NaN for a day that is none. */
function momentOf (text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const time = Date.parse(text.replace(' ', 'T'))
  // Date.parse takes February 30th for March 2nd.
  const isDay = new Date(`${text.slice(0, 10)}T00:00:00Z`)
  const isWrong = Number.isNaN(time) || Number.isNaN(isDay.getTime()) ||
    isDay.toISOString().slice(0, 10) !== text.slice(0, 10)
  return isWrong ? NaN : Math.floor(time / 1000)
}
