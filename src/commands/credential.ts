// Which token or secret is a command given? On the command line, where others of the machine may
// see it; in a file; or on standard input.
import { readFile } from 'node:fs/promises'
import { utf8Of } from '../lib/utf8.ts'
import type { Io } from './command.ts'
import type { Options } from './options.ts'

export type Credential =
  | { readonly ok: true, readonly text: string }
  | { readonly ok: false, readonly message: string }

/** What --token or --token-file give: without the end of its line. */
export async function readCredential ({ token, 'token-file': file }: Options, io: Io): Promise<Credential> {
  if (file !== undefined) {
    const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => error.code)
    if (!(bytes instanceof Buffer)) return { ok: false, message: `--token-file ${file} cannot be read (${bytes})` }
    const text = utf8Of(bytes)
    return text === undefined
      ? { ok: false, message: `--token-file ${file} is no UTF-8` }
      : { ok: true, text: trimmed(text) }
  }
  if (token !== '-') return { ok: true, text: token as string }
  const read = await io.readSecret('Token or secret: ')
  return read.ok ? { ok: true, text: trimmed(read.secret) } : read
}

function trimmed (text: string): string {
  return text.replace(/\r?\n$/, '')
}
