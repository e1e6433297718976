// Which accounts files is a command about, and how does it change one? The file that
// --file names, or those of the configuration; a change that would leave something that
// `check` refuses is not written.
import { isSeq, YAMLSeq, type Document, type YAMLMap } from 'yaml'
import { gatherAccounts, type RobotEntry, type UserEntry } from '../identity/accounts.ts'
import { accountsOf, readAccountsFile, type FileAccounts } from '../identity/sources/accounts-file.ts'
import { isName } from '../words/subject.ts'
import { stampOf } from '../files/files.ts'
import { rewriteFile } from '../files/rewrite.ts'
import { editYaml } from '../files/yaml-edit.ts'
import { fail, type Command, type ExitCode, type Io, type WrongUsage } from './command.ts'
import type { Options } from './options.ts'

export interface OnFiles {
  /** The one that is changed; undefined when nothing names one. */
  readonly file: string | undefined
  /** Those of the configuration beside it, in which nobody may have the same name. */
  readonly others: readonly string[]
  readonly options: Options
  readonly io: Io
  readonly words: readonly string[]
}

/** A command about accounts files. With --file no configuration is read. */
export function onAccountsFiles (run: (context: OnFiles) => Promise<ExitCode | WrongUsage>): Command {
  return {
    async run (options, env, io, words) {
      const { file } = options
      if (file !== undefined) {
        return isYaml(file)
          ? await run({ file, others: [], options, io, words })
          : fail(io, `${file} is not an accounts file: their names end in .yaml or .yml`)
      }
      const { configured } = await import('./configured.ts')
      return await configured(async ({ config: { accounts: { files } } }) => {
        const first = files.find(isYaml)
        return await run({ file: first, others: files.filter(each => each !== first), options, io, words })
      }).run(options, env, io, words)
    }
  }
}

function isYaml (file: string): boolean {
  return /\.ya?ml$/.test(file)
}

const NO_FILE = 'no accounts file: name one with --file, or in accounts.files of the configuration ' +
  '(its name ends in .yaml or .yml)'

export type Kind = 'user' | 'robot'
export type Entry = UserEntry | RobotEntry

export type Changed =
  | { readonly ok: true }
  | { readonly ok: false, /** a line each */ readonly mistakes: readonly string[] }

/** What keeps a change from being made, in a sentence; undefined when it is made. */
export type Change = (document: Document, accounts: FileAccounts) => string | undefined

/**
 * Changes an accounts file.
 * @param others the files beside it, as in OnFiles
 * @param change may be asked more than once, when somebody else changes the file meanwhile
 */
export async function changeAccounts (file: string, others: readonly string[], change: Change): Promise<Changed> {
  return await rewriteFile(file, async before => {
    const text = before ?? ''
    const found = await accountsOf(file, text)
    if (found.mistakes.length > 0) return { ok: false, mistakes: found.mistakes }
    let hindrance: string | undefined
    const edited = editYaml(text, document => { hindrance = change(document, found) })
    if (!edited.ok) return { ok: false, mistakes: [`${file} is not changed: ${edited.message}`] }
    if (hindrance !== undefined) return { ok: false, mistakes: [hindrance] }
    const mistakes = await mistakesOf(file, edited.text, others)
    return mistakes.length > 0 ? { ok: false, mistakes } : { ok: true, text: edited.text }
  })
}

/** What `check` would say of the new text, and of it beside the other files. */
async function mistakesOf (file: string, text: string, others: readonly string[]): Promise<readonly string[]> {
  const own = await accountsOf(file, text)
  const all = [own, ...await Promise.all(others.map(readAccountsFile))]
  const gathered = gatherAccounts(all.flatMap(({ users }) => users), all.flatMap(({ robots }) => robots))
  return [...own.mistakes, ...gathered.ok ? [] : gathered.mistakes]
}

/** Where an account is. */
export type Whereabouts =
  | { readonly is: 'here', readonly entry: Entry, readonly file: string }
  | { readonly is: 'elsewhere', readonly entry: Entry, readonly file: string }
  | { readonly is: 'nowhere', readonly file: string }
  | { readonly is: 'unknown', /** a line each */ readonly mistakes: readonly string[] }

/** Looks for an account in the file that is changed, which may be missing, and in the others. */
export async function lookFor ({ file, others }: OnFiles, kind: Kind, name: string): Promise<Whereabouts> {
  if (file === undefined) return { is: 'unknown', mistakes: [NO_FILE] }
  const isMissing = await stampOf(file) === 'ENOENT'
  for (const each of [...isMissing ? [] : [file], ...others]) {
    const { users, robots, mistakes } = await readAccountsFile(each)
    if (mistakes.length > 0) return { is: 'unknown', mistakes }
    const entry = (kind === 'user' ? users : robots).find(entry => entry.name === name)
    if (entry !== undefined) return { is: each === file ? 'here' : 'elsewhere', entry, file: each }
  }
  return { is: 'nowhere', file }
}

/** Why an account cannot be changed that is not in the file that is changed, a line each. */
export function absence (
  found: Exclude<Whereabouts, { readonly is: 'here' }>,
  kind: Kind,
  name: string
): readonly string[] {
  switch (found.is) {
    case 'unknown': return found.mistakes
    case 'nowhere': return [`there is no ${kind} ${name} in ${found.file}: chartgate ${kind} list says who there is`]
    case 'elsewhere': {
      const way = isYaml(found.file) ? `say --file ${found.file}` : 'a file of htpasswd is changed with htpasswd -B'
      return [`the ${kind} ${name} is at ${found.entry.place}: ${way}`]
    }
  }
}

/** Changes an account that has to be there. @param change gets where it is: users and its index */
export async function changeAccount (
  context: OnFiles,
  kind: Kind,
  change: (document: Document, path: readonly [string, number], entry: Entry) => string | undefined
): Promise<Changed> {
  const [name] = context.words as [string]
  const found = await lookFor(context, kind, name)
  if (found.is !== 'here') return { ok: false, mistakes: absence(found, kind, name) }
  return await changeAccounts(found.file, context.others, (document, accounts) => {
    const list = accounts[`${kind}s`]
    const index = list.findIndex(each => each.name === name)
    const entry = list[index]
    // Another command was first.
    if (entry === undefined) return absence({ is: 'nowhere', file: found.file }, kind, name)[0]
    return change(document, [`${kind}s`, index], entry)
  })
}

export type Listed =
  | { readonly ok: true, readonly users: readonly UserEntry[], readonly robots: readonly RobotEntry[] }
  | { readonly ok: false, readonly mistakes: readonly string[] }

/** The accounts of all files. */
export async function listAccounts ({ file, others }: OnFiles): Promise<Listed> {
  const files = [...file === undefined ? [] : [file], ...others]
  if (files.length === 0) return { ok: false, mistakes: [NO_FILE] }
  const read = await Promise.all(files.map(readAccountsFile))
  const mistakes = read.flatMap(each => each.mistakes)
  if (mistakes.length > 0) return { ok: false, mistakes }
  return { ok: true, users: read.flatMap(({ users }) => users), robots: read.flatMap(({ robots }) => robots) }
}

export type Groups =
  /** Part of an account's entry. */
  | { readonly ok: true, readonly entry: { readonly groups?: readonly string[] } }
  | { readonly ok: false, readonly message: string }

/** What --groups says. */
export function readGroups ({ groups }: Options): Groups {
  if (groups === undefined) return { ok: true, entry: {} }
  const names = groups.split(',').map(name => name.trim())
  return names.every(isName)
    ? { ok: true, entry: { groups: names } }
    : { ok: false, message: `--groups ${JSON.stringify(groups)} is not a list of group names` }
}

/** Adds an entry to a list of the document, in the form of the others, and makes the list when it is missing. */
export function addEntry (document: Document, path: readonly (string | number)[], entry: object): void {
  const node = document.createNode(entry) as YAMLMap
  const groups = node.get('groups')
  if (isSeq(groups)) groups.flow = true
  const list = document.getIn(path)
  if (!isSeq<YAMLMap>(list)) {
    const made = new YAMLSeq<YAMLMap>(document.schema)
    made.add(node)
    document.setIn(path, made)
    return
  }
  const last = list.items.at(-1)
  if (last === undefined) list.flow = false // it was []
  if (last?.flow === true) node.flow = true
  list.add(node)
}

/** Refuses an account, or takes that back. */
export function disabling (kind: Kind, disabled: boolean): Command {
  return onAccountsFiles(async context => {
    const { io, words: [name] } = context
    let already = false
    const changed = await changeAccount(context, kind, (document, path, entry) => {
      already = entry.disabled === disabled
      if (!already) document.setIn([...path, 'disabled'], disabled)
      return undefined
    })
    if (!changed.ok) return fail(io, ...changed.mistakes)
    const state = disabled ? 'disabled' : 'enabled'
    io.stdout(already ? `the ${kind} ${name} is ${state} already\n` : `the ${kind} ${name} is ${state}\n`)
    return 0
  })
}
