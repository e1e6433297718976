// How is read what somebody types? A secret without an echo, twice where a mistyped one would be
// found out too late, and as it is from a pipe; an answer as a line.
import type { Readable, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { read } from 'read'
import { utf8Of } from '../lib/utf8.ts'
import type { ReadSecret } from './command.ts'

type Input = Readable & { readonly isTTY?: boolean }

/**
 * @param output where the prompt goes: not standard output, which is for results
 * @param again at a terminal it is asked for once more with this, and has to be the same
 * @returns the secret without the end of its line
 */
export async function readSecret (
  input: Input,
  output: Writable,
  prompt: string,
  again?: string
): Promise<ReadSecret> {
  if (input.isTTY !== true) return textOf(utf8Of(await buffer(input))?.replace(/\r?\n$/, ''))
  const first = await typed(input, output, prompt)
  if (!first.ok || again === undefined) return first
  const second = await typed(input, output, again)
  if (!second.ok || second.secret === first.secret) return second
  return { ok: false, message: 'what was typed the second time is something else' }
}

/** A line that is typed and shown; undefined at an end without one. @param output where the prompt goes */
export async function readLine (input: Readable, output: Writable, prompt: string): Promise<string | undefined> {
  return await lineOf(input, output, prompt, false)
}

/** A terminal's bytes that are no UTF-8 come as U+FFFD, which nobody types. */
async function typed (input: Readable, output: Writable, prompt: string): Promise<ReadSecret> {
  const secret = await lineOf(input, output, prompt, true)
  return secret === undefined ? NOTHING : textOf(secret.includes('\uFFFD') ? undefined : secret)
}

async function lineOf (
  input: Readable,
  output: Writable,
  prompt: string,
  silent: boolean
): Promise<string | undefined> {
  const line = read({ prompt, silent, input: input as NodeJS.ReadStream, output: output as NodeJS.WriteStream })
    .catch(() => undefined) // Ctrl-C
  // An end without a line: Ctrl-D. `read` says nothing then.
  const nothing = new Promise<undefined>(resolve => {
    input.once('pause', () => { setImmediate(resolve, undefined) })
  })
  const found = await Promise.race([line, nothing])
  if (silent || found === undefined) output.write('\n') // the one that was typed is not shown
  return found
}

const NOTHING: ReadSecret = { ok: false, message: 'nothing was typed' }

function textOf (secret: string | undefined): ReadSecret {
  return secret === undefined
    ? { ok: false, message: 'it is no UTF-8: nobody could say which characters it is made of' }
    : { ok: true, secret }
}
