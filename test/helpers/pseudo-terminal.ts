// The built program at a terminal that nobody sees, made by script(1) of util-linux: what it
// shows, and what a person types into it.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ROOT, type TestLike } from './processes.ts'
import { until } from './until.ts'

export interface PseudoTerminal {
  /** All that was shown so far, also what was typed. */
  readonly shown: () => string
  /** Types when this was shown, behind what was waited for before. */
  answer (prompt: string, typed: string): Promise<void>
  /** The program's exit code. */
  readonly ended: Promise<number | null>
}

/** Starts chartgate there; it ends with the test. @param argv words without blanks and quotes */
export function startAtTerminal (t: TestLike, argv: readonly string[], { cwd = ROOT, env = {} }: { readonly cwd?: string, readonly env?: Readonly<Record<string, string>> } = {}): PseudoTerminal {
  const command = ['exec', process.execPath, join(ROOT, 'dist/src/cli.js'), ...argv].join(' ')
  const child = spawn('env', ['-u', 'NODE_OPTIONS', 'script', '-qec', command, '/dev/null'], { cwd, env: { PATH: process.env['PATH'], TERM: 'xterm', ...env }, stdio: ['pipe', 'pipe', 'inherit'] })
  let [text, seen] = ['', 0]
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  child.stdin.on('error', () => {}) // it has ended
  const ended = new Promise<number | null>((resolve, reject) => { child.once('error', reject).once('close', resolve) })
  t.teardown(() => { child.kill('SIGKILL') })
  return {
    shown: () => text,
    ended,
    async answer (prompt, typed) {
      seen = await until(() => {
        const place = text.indexOf(prompt, seen)
        return place < 0 ? undefined : place + prompt.length
      }).catch(() => { throw new Error(`${JSON.stringify(prompt)} is not shown: ${text}`) })
      child.stdin.write(typed)
    }
  }
}
