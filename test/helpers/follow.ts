// Follows a page as a reader does: its blocks in order and in one shell, each held against
// what the page shows of it.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { isAsShown, withoutChance, type Shown } from './documents.ts'
import { freePorts, run, temporaryFolder, type Environment } from './processes.ts'

export interface Reader {
  /** Those that the page has, the listener's and the admin listener's first; other programs may be on them here. */
  readonly ports: readonly [string, string, ...string[]]
  /**
   * Makes `clone` in the folder, and whatever programs the page has.
   * @param there puts the ports of this run into a text
   * @returns all that the shell sees
   */
  furnish (folder: string, there: (text: string) => string): Promise<Environment>
}

/** Before each block's output, and never in one. */
const MARK = '\u001e'

/** Runs the blocks, and compares each with what is shown. */
export async function follow (t: Test, blocks: readonly Shown[], reader: Reader): Promise<void> {
  const printed = await runTogether(t, blocks, reader)
  for (const [i, { line, commands, printed: shown = '' }] of blocks.entries()) {
    const output = printed[i]
    if (output === undefined) t.fail(`line ${line} was not reached`)
    else if (isAsShown(shown, output)) t.pass(`line ${line} prints what is shown`)
    else t.equal(withoutChance(output), withoutChance(shown), `line ${line} prints what is shown`, { commands })
  }
}

/** What each block printed, standard output and errors together, as in a terminal. */
async function runTogether (t: Test, blocks: readonly Shown[], { ports: shown, furnish }: Reader): Promise<string[]> {
  const ports = (await freePorts(shown.length)).map(String)
  const [port, adminPort] = ports as [string, string]
  const there = (text: string): string => text.replaceAll(new RegExp(`\\b(?:${shown.join('|')})\\b`, 'g'), each => ports[shown.indexOf(each)] as string)
  const back = (text: string): string => ports.reduce((text, each, i) => text.replaceAll(each, shown[i] as string), text)
  const folder = await temporaryFolder(t)
  const env = await furnish(folder, there)
  const script = [
    // whatever was started and not stopped
    'trap \'kill $(jobs -p) 2> /dev/null || true; wait\' EXIT', 'exec 2>&1', 'set -e',
    ...blocks.flatMap(({ commands }) => [`printf '${MARK}'`, there(commands)])
  ]
  const file = join(folder, 'script.sh')
  await writeFile(file, script.join('\n'))
  const { code, stdout } = await run('bash', [file], { cwd: join(folder, 'clone'), env: { ...env, CHARTGATE_LISTEN_PORT: port, CHARTGATE_ADMIN_PORT: adminPort } })
  const outputs = back(stdout).split(MARK).slice(1)
  t.equal(code, 0, `every command succeeds; the last block is that of line ${blocks[outputs.length - 1]?.line}`, { output: outputs.at(-1) })
  return outputs
}
