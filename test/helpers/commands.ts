// chartgate's commands in this process, with everything that they print.
import type { Readable } from 'node:stream'
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

/**
 * @param typed what is read where a command asks for a secret, or what happens then and says it
 * @param answers what somebody at a terminal answers, line by line, before they go away; undefined: nobody is there
 */
export async function command (argv: readonly string[], env: Environment = {}, typed: string | ReadSecret | (() => string) = '', answers?: Iterable<string>, input?: () => Readable): Promise<CommandResult> {
  let [out, err] = ['', '']
  const prompts: string[] = []
  const lines = answers?.[Symbol.iterator]()
  const code = await main(argv, env, {
    stdout: text => { out += text },
    stderr: text => { err += text },
    readSecret: async (...asked) => {
      prompts.push(...asked.filter(each => each !== undefined))
      const said = typeof typed === 'function' ? typed() : typed
      return typeof said === 'string' ? { ok: true, secret: said } : said
    },
    ...(input === undefined ? {} : { input }),
    ...(lines === undefined
      ? {}
      : {
          ask: async (prompt: string) => {
            prompts.push(prompt)
            const next = lines.next()
            return next.done === true ? undefined : next.value
          }
        })
  })
  return { code, out, err, ...(prompts.length === 0 ? {} : { prompts }) }
}
