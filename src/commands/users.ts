// The commands about users of accounts files: add, passwd, disable, enable, list. A password
// is asked for when nothing else is in the way, and is never on the command line.
import { isName } from '../words/subject.ts'
import {
  absence, addEntry, changeAccount, changeAccounts, disabling, listAccounts, lookFor, onAccountsFiles, readGroups,
  type OnFiles
} from './accounts-files.ts'
import { fail, printJson, printTable, type ExitCode, type WrongUsage } from './command.ts'
import { askForHash } from './hash-password.ts'
import { recorded } from './recorded.ts'

export const USER_ADD = recorded('user.add', 'user', onAccountsFiles(runAdd))
export const USER_PASSWD = recorded('user.passwd', 'user', onAccountsFiles(runPasswd))
export const USER_DISABLE = recorded('user.disable', 'user', disabling('user', true))
export const USER_ENABLE = recorded('user.enable', 'user', disabling('user', false))
export const USER_LIST = onAccountsFiles(runList)

async function runAdd (context: OnFiles): Promise<ExitCode | WrongUsage> {
  const { io, options, others, words } = context
  const [name] = words as [string]
  const groups = readGroups(options)
  if (!groups.ok) return { wrong: [groups.message] }
  if (!isName(name)) {
    return fail(io, `${JSON.stringify(name)} is not a user's name: ` +
      'letters, digits, ".", "_", "@", "+" and "-", at most 128')
  }
  const found = await lookFor(context, 'user', name)
  if (found.is === 'unknown') return fail(io, ...found.mistakes)
  if (found.is !== 'nowhere') return fail(io, `the user ${name} is there already, at ${found.entry.place}`)
  const hashed = await askForHash(io, `Password for ${name}: `)
  if (!hashed.ok) return fail(io, hashed.message)
  const changed = await changeAccounts(found.file, others, document => {
    addEntry(document, ['users'], { name, ...groups.entry, passwordHash: hashed.hash })
    return undefined
  })
  if (!changed.ok) return fail(io, ...changed.mistakes)
  io.stdout(`the user ${name} is in ${found.file}. A rule gives them rights: subjects: ["user:${name}"]\n`)
  return 0
}

async function runPasswd (context: OnFiles): Promise<ExitCode> {
  const { io, words } = context
  const [name] = words as [string]
  const found = await lookFor(context, 'user', name)
  if (found.is !== 'here') return fail(io, ...absence(found, 'user', name))
  const hashed = await askForHash(io, `New password for ${name}: `)
  if (!hashed.ok) return fail(io, hashed.message)
  const changed = await changeAccount(context, 'user', (document, path) => {
    document.setIn([...path, 'passwordHash'], hashed.hash)
    return undefined
  })
  if (!changed.ok) return fail(io, ...changed.mistakes)
  io.stdout(`the user ${name} has the new password\n`)
  return 0
}

async function runList (context: OnFiles): Promise<ExitCode> {
  const { io, options } = context
  const listed = await listAccounts(context)
  if (!listed.ok) return fail(io, ...listed.mistakes)
  if (options.json === true) {
    printJson(io, listed.users.map(({ name, groups, disabled, place }) => ({ name, groups, disabled, place })))
    return 0
  }
  printTable(io, [
    ['NAME', 'STATE', 'GROUPS', 'PLACE'],
    ...listed.users.map(({ name, groups, disabled, place }) => {
      return [name, disabled ? 'disabled' : 'active', groups.join(',') || '-', place]
    })
  ])
  return 0
}
