// The commands that make what accounts files hold: hash-password, robot create. They need
// no configuration, and print a secret at most once.
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { parseDocument, stringify, isSeq } from 'yaml'
import { readAccountsFile } from '../identity/sources/accounts-file.ts'
import { isRobotName } from '../words/subject.ts'
import { hashPassword, passwordFault } from '../identity/sources/passwords.ts'
import { digestOf, makeSecret } from '../identity/sources/robot-secret.ts'
import { fail, type Command, type ExitCode, type Io, type Options, type WrongUsage } from './command.ts'

export const HASH_PASSWORD: Command = { takes: [], run: runHashPassword }
export const ROBOT_CREATE: Command = { takes: ['expires', 'file'], words: ['NAME'], run: runRobotCreate }

async function runHashPassword (_options: Options, _env: object, io: Io): Promise<ExitCode> {
  const password = await io.readSecret('Password: ')
  const fault = passwordFault(password)
  if (fault !== undefined) return fail(io, fault)
  io.stdout(`${await hashPassword(password)}\n`)
  return 0
}

interface WrittenRobot {
  readonly name: string
  readonly secrets: readonly { readonly hash: string, readonly expires?: string }[]
}

async function runRobotCreate (
  { expires = '', file }: Options,
  _env: object,
  io: Io,
  words: readonly string[]
): Promise<ExitCode | WrongUsage> {
  const [name] = words as [string]
  const end = readEnd(expires, new Date())
  if (end === undefined) {
    const given = JSON.stringify(expires)
    return { wrong: [`robot create needs --expires with a time such as 90d or 12h, or never; not ${given}`] }
  }
  if (!isRobotName(name)) {
    return fail(io, `${JSON.stringify(name)} is not a robot's name: ` +
      'lower-case letters, digits, ".", "_" and "-", at most 63')
  }
  const secret = makeSecret()
  const entry: WrittenRobot = {
    name,
    secrets: [{ hash: `sha256:${digestOf(secret)}`, ...(end === 'never' ? {} : { expires: end }) }]
  }
  if (file !== undefined) {
    const fault = await addRobot(file, entry)
    if (fault !== undefined) return fail(io, fault)
  }
  io.stderr('The secret, which nobody can show again:\n')
  io.stdout(`${secret}\n`)
  io.stderr(file === undefined
    ? `The entry for an accounts file, below robots:\n${stringify([entry])}`
    : `The robot ${name} is in ${file}. A rule gives it rights: subjects: ["robot:${name}"]\n`)
  return 0
}

/** When a secret ends, as a file has it; undefined for a text that says no time. */
function readEnd (text: string, now: Date): string | undefined {
  if (text === 'never') return text
  const [, count, unit] = /^([1-9]\d{0,4})([hd])$/.exec(text) ?? []
  if (count === undefined) return undefined
  const length = Number(count) * (unit === 'd' ? 86_400_000 : 3_600_000)
  return new Date(now.getTime() + length).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Adds a robot to an accounts file and leaves its comments alone; what hinders it, in a sentence. */
async function addRobot (file: string, entry: WrittenRobot): Promise<string | undefined> {
  if (!/\.ya?ml$/.test(file)) return `${file} is not an accounts file: their names end in .yaml or .yml`
  const found = await readAccountsFile(file)
  if (found.mistakes.length > 0) return found.mistakes.join('\nchartgate: ')
  const other = found.robots.find(({ name }) => name === entry.name)
  if (other !== undefined) {
    return `the robot ${entry.name} is there already, at ${other.place}: to give it a second secret, ` +
      'run the command without --file and add what it prints to its secrets'
  }
  const document = parseDocument(await readFile(file, 'utf8'))
  const robots = document.get('robots', true)
  if (isSeq(robots)) robots.add(document.createNode(entry))
  else document.set('robots', document.createNode([entry]))
  return await replace(file, document.toString({ lineWidth: 0 }))
}

/** Writes a file whole or not at all, with the mode that it had. */
async function replace (file: string, content: string): Promise<string | undefined> {
  const aside = `${file}.${process.pid}.tmp`
  try {
    const { mode } = await stat(file)
    await writeFile(aside, content, { mode, flag: 'wx' })
    await rename(aside, file)
    return undefined
  } catch (error) {
    await rm(aside, { force: true })
    return `${file} cannot be written: ${(error as Error).message}`
  }
}
