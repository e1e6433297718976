// `chartgate hash-password`: which hash stands for a password in an accounts file?
import { hashPassword, passwordFault } from '../identity/sources/passwords.ts'
import { fail, type Command, type Io } from './command.ts'

export const HASH_PASSWORD: Command = {
  async run (_options, _env, io) {
    const hashed = await askForHash(io, 'Password: ')
    if (!hashed.ok) return fail(io, hashed.message)
    io.stdout(`${hashed.hash}\n`)
    return 0
  }
}

export type Hashed =
  | { readonly ok: true, readonly hash: string }
  | { readonly ok: false, readonly message: string }

/** The hash of a password that is typed twice, or comes from a pipe. */
export async function askForHash (io: Io, prompt: string): Promise<Hashed> {
  const read = await io.readSecret(prompt, 'The same again: ')
  if (!read.ok) return { ok: false, message: `no password: ${read.message}` }
  const fault = passwordFault(read.secret)
  return fault === undefined ? { ok: true, hash: await hashPassword(read.secret) } : { ok: false, message: fault }
}
