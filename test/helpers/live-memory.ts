// What does a process of Node hold on to? What is resident moves by half with the garbage that
// waits to be collected; so it is asked, through its inspector, to collect that first.
import { WebSocket } from 'undici'
import type { StartedProcess, TestLike } from './processes.ts'

/** A process, and each that it forks, listens to its inspector then, on any free port, and says on stderr which. */
export const INSPECTABLE = { NODE_OPTIONS: '--inspect=127.0.0.1:0' }

export interface Inspected {
  readonly pid: number
  readonly hasEnded: () => boolean
  /** Bytes of its heap and beside it that are still in use after a collection. */
  readonly inUse: () => Promise<number>
}

interface Result { readonly result?: { readonly value?: unknown } }

/** The addresses of all inspectors that have begun. */
export function inspectorsOf ({ stderr }: StartedProcess): string[] {
  return [...stderr().matchAll(/^Debugger listening on (ws:\S+)$/gm)].map(([, address]) => address as string)
}

/** @returns undefined when that process has ended */
export async function inspect (t: TestLike, address: string): Promise<Inspected | undefined> {
  const socket = new WebSocket(address)
  const waiting = new Map<number, (result: Result) => void>()
  let [sent, hasEnded] = [0, false]
  const opened = await new Promise<boolean>(resolve => {
    socket.addEventListener('open', () => { resolve(true) })
    socket.addEventListener('error', () => { resolve(false) })
    socket.addEventListener('close', () => {
      hasEnded = true
      for (const answer of waiting.values()) answer({})
    })
    socket.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(data as string) as { id: number, result: Result }
      waiting.get(id)?.(result)
      waiting.delete(id)
    })
  })
  if (!opened) return undefined
  t.teardown(() => { socket.close() })
  const call = async (method: string, params: object = {}): Promise<Result> => await new Promise(resolve => {
    waiting.set(++sent, resolve)
    socket.send(JSON.stringify({ id: sent, method, params }))
  })
  const evaluate = async (expression: string): Promise<unknown> => (await call('Runtime.evaluate', { expression, returnByValue: true })).result?.value
  return {
    pid: Number(await evaluate('process.pid')),
    hasEnded: () => hasEnded,
    async inUse () {
      await call('HeapProfiler.collectGarbage')
      return Number(await evaluate('(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())'))
    }
  }
}
