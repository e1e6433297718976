// chartgate's commands in this process, with everything that they print.
import { main } from '../../src/cli.ts'
import type { Environment } from '../../src/config/environment.ts'

export interface CommandResult { readonly code: number, readonly out: string, readonly err: string }

/** @param typed what is read where a command asks for a secret */
export async function command (argv: readonly string[], env: Environment = {}, typed = ''): Promise<CommandResult> {
  let [out, err] = ['', '']
  const code = await main(argv, env, { stdout: text => { out += text }, stderr: text => { err += text }, readSecret: async () => typed })
  return { code, out, err }
}
