// chartgate's commands in this process, with everything that they print.
import { main } from '../../src/cli.ts'
import type { ReadSecret } from '../../src/commands/command.ts'
import type { Environment } from '../../src/config/environment.ts'

export interface CommandResult {
  readonly code: number
  readonly out: string
  readonly err: string
  /** What was asked, where a command asked for a secret. */
  readonly prompts?: readonly string[]
}

/** @param typed what is read where a command asks for a secret */
export async function command (argv: readonly string[], env: Environment = {}, typed: string | ReadSecret = ''): Promise<CommandResult> {
  let [out, err] = ['', '']
  const prompts: string[] = []
  const code = await main(argv, env, {
    stdout: text => { out += text },
    stderr: text => { err += text },
    readSecret: async (...asked) => {
      prompts.push(...asked.filter(each => each !== undefined))
      return typeof typed === 'string' ? { ok: true, secret: typed } : typed
    }
  })
  return { code, out, err, ...(prompts.length === 0 ? {} : { prompts }) }
}
