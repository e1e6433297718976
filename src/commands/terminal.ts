// How is a secret read? Without an echo where somebody types it, and as it is from a pipe.
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { read } from 'read'

/**
 * @param output where the prompt goes: not standard output, which is for results
 * @returns the secret without the end of its line
 */
export async function readSecret (
  prompt: string,
  input: Readable & { readonly isTTY?: boolean },
  output: Writable
): Promise<string> {
  if (input.isTTY !== true) return (await text(input)).replace(/\r?\n$/, '')
  const secret = await read({
    prompt,
    silent: true,
    input: input as NodeJS.ReadStream,
    output: output as NodeJS.WriteStream
  })
  output.write('\n')
  return secret
}
