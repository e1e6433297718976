// The commands about robots of accounts files: create, rotate, disable, enable, delete,
// list. A secret is made here, printed once, and kept as its SHA-256 alone.
import { stringify } from 'yaml'
import type { RobotEntry } from '../identity/accounts.ts'
import { digestOf, makeSecret } from '../identity/sources/robot-secret.ts'
import { isRobotName } from '../words/subject.ts'
import {
  addEntry, changeAccount, changeAccounts, disabling, listAccounts, lookFor, onAccountsFiles, readGroups,
  type OnFiles
} from './accounts-files.ts'
import { fail, printJson, printTable, type ExitCode, type WrongUsage } from './command.ts'
import { recorded } from './recorded.ts'
import { earlierEnd, hasEnded, isoOf, lifeOf, readEnd } from './secret-times.ts'

export const ROBOT_CREATE = recorded('robot.create', 'robot', onAccountsFiles(runCreate))
export const ROBOT_ROTATE = recorded('robot.rotate', 'robot', onAccountsFiles(runRotate))
export const ROBOT_DISABLE = recorded('robot.disable', 'robot', disabling('robot', true))
export const ROBOT_ENABLE = recorded('robot.enable', 'robot', disabling('robot', false))
export const ROBOT_DELETE = recorded('robot.delete', 'robot', onAccountsFiles(runDelete))
export const ROBOT_LIST = onAccountsFiles(runList)

async function runCreate (context: OnFiles): Promise<ExitCode | WrongUsage> {
  const { file, others, io, options, words } = context
  const [name] = words as [string]
  const { expires = '', json } = options
  const end = readEnd(expires)
  if (end === undefined) {
    const given = JSON.stringify(expires)
    return { wrong: [`robot create needs --expires with a time such as 90d or 12h, or never; not ${given}`] }
  }
  const groups = readGroups(options)
  if (!groups.ok) return { wrong: [groups.message] }
  if (!isRobotName(name)) {
    return fail(io, `${JSON.stringify(name)} is not a robot's name: ` +
      'lower-case letters, digits, ".", "_" and "-", at most 63')
  }
  const secret = makeSecret()
  const entry = { name, ...groups.entry, secrets: [storedSecret(secret, end)] }
  if (file !== undefined) {
    const found = await lookFor(context, 'robot', name)
    if (found.is === 'unknown') return fail(io, ...found.mistakes)
    if (found.is !== 'nowhere') {
      return fail(io, `the robot ${name} is there already, at ${found.entry.place}: ` +
        `chartgate robot rotate ${name} gives it a new secret`)
    }
    const changed = await changeAccounts(file, others, document => {
      addEntry(document, ['robots'], entry)
      return undefined
    })
    if (!changed.ok) return fail(io, ...changed.mistakes)
  } else if (others.length > 0) {
    return fail(io, `${others.join(', ')} is of htpasswd, which knows no robots: name an accounts file with --file`)
  }
  if (json === true) {
    printJson(io, { name, secret, expires: endForPrograms(end), ...(file === undefined ? { entry } : { file }) })
    return 0
  }
  printSecret(io, secret)
  io.stderr(file === undefined
    ? `The entry for an accounts file, below robots:\n${stringify([entry])}`
    : `The robot ${name} is in ${file}. A rule gives it rights: subjects: ["robot:${name}"]\n`)
  return 0
}

async function runRotate (context: OnFiles): Promise<ExitCode | WrongUsage> {
  const { file, io, options: { keep = '7d', expires = '90d', json }, words } = context
  const [name] = words as [string]
  const end = readEnd(expires)
  if (end === undefined) {
    return { wrong: [`--expires ${JSON.stringify(expires)} is not a time such as 90d or 12h, or never`] }
  }
  const oldEnd = keep === '0' ? keep : readEnd(keep)
  if (oldEnd === undefined || oldEnd === 'never') {
    return { wrong: [`--keep ${JSON.stringify(keep)} is not a time such as 7d or 12h, or 0`] }
  }
  const secret = makeSecret()
  let kept: string | undefined
  const changed = await changeAccount(context, 'robot', (document, path, entry) => {
    const list = [...path, 'secrets']
    const { secrets } = entry as RobotEntry
    const counts = secrets.map(each => oldEnd !== '0' && !hasEnded(each))
    if (counts.filter(Boolean).length > 1) {
      return `the robot ${name} has two secrets that count (${secrets.map(lifeOf).join('; ')}): ` +
        'wait until one of them ends, or let both end now with --keep 0'
    }
    const old = secrets[counts.indexOf(true)]
    kept = old === undefined ? undefined : earlierEnd(old, oldEnd)
    if (kept !== undefined) document.setIn([...list, counts.indexOf(true), 'expires'], kept)
    addEntry(document, list, storedSecret(secret, end))
    for (let i = secrets.length - 1; i >= 0; i--) if (counts[i] === false) document.deleteIn([...list, i])
    return undefined
  })
  if (!changed.ok) return fail(io, ...changed.mistakes)
  if (json === true) {
    printJson(io, { name, secret, expires: endForPrograms(end), oldSecretExpires: kept ?? null, file })
    return 0
  }
  printSecret(io, secret)
  const ofOld = kept === undefined ? 'Every secret before it counts no longer.' : `The old secret counts until ${kept}.`
  io.stderr(`${ofOld} The new one ${end === 'never' ? 'does not end' : `ends ${end}`}.\n`)
  return 0
}

async function runDelete (context: OnFiles): Promise<ExitCode> {
  const { file, io, words: [name] } = context
  const changed = await changeAccount(context, 'robot', (document, path) => {
    document.deleteIn(path)
    return undefined
  })
  if (!changed.ok) return fail(io, ...changed.mistakes)
  io.stdout(`the robot ${name} is no longer in ${file}\n`)
  return 0
}

async function runList (context: OnFiles): Promise<ExitCode> {
  const { io, options } = context
  const listed = await listAccounts(context)
  if (!listed.ok) return fail(io, ...listed.mistakes)
  if (options.json === true) {
    printJson(io, listed.robots.map(({ name, groups, disabled, place, secrets }) => ({
      name,
      groups,
      disabled,
      place,
      secrets: secrets.map(({ notBefore, expires }) => ({ notBefore: isoOf(notBefore), expires: isoOf(expires) }))
    })))
    return 0
  }
  printTable(io, [
    ['NAME', 'STATE', 'GROUPS', 'SECRETS', 'PLACE'],
    ...listed.robots.map(({ name, groups, disabled, place, secrets }) => {
      return [name, disabled ? 'disabled' : 'active', groups.join(',') || '-', secrets.map(lifeOf).join('; '), place]
    })
  ])
  return 0
}

/** As a file has it. @param end a moment, or never */
function storedSecret (secret: string, end: string): { readonly hash: string, readonly expires?: string } {
  return { hash: `sha256:${digestOf(secret)}`, ...(end === 'never' ? {} : { expires: end }) }
}

function endForPrograms (end: string): string | null {
  return end === 'never' ? null : end
}

function printSecret (io: OnFiles['io'], secret: string): void {
  io.stderr('The secret, which nobody can show again:\n')
  io.stdout(`${secret}\n`)
}
