// Helm's own loader as a process that is asked one thing after the other (test/clients/loader).
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { TestLike } from '../../helpers/processes.ts'

export interface GoAnswer {
  readonly name?: string
  readonly version?: string
  /** What a text of YAML has in it, each value with its type. */
  readonly value?: string
  readonly error?: string
}

export type AskGo = (kind: 'chart' | 'yaml', bytes: Buffer) => Promise<GoAnswer>

/** @param path of the program (goTool) */
export function startLoader (t: TestLike, path: string): AskGo {
  const go = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => { go.kill() })
  const waiting: ((line: string) => void)[] = []
  createInterface({ input: go.stdout }).on('line', line => waiting.shift()?.(line))
  return async (kind, bytes) => {
    const line = new Promise<string>(resolve => { waiting.push(resolve) })
    go.stdin.write(`${kind} ${bytes.toString('base64')}\n`)
    return JSON.parse(await line) as GoAnswer
  }
}
