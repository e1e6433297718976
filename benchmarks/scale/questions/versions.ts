// An index with 100 to 100,000 versions: made for the first time, asked for again, and when
// nothing is new.
import { mebibytesOf } from '../../lab/usage.ts'
import { get, type Answer } from '../../load/answer.ts'
import { summarise } from '../../report/statistics.ts'
import { startBefore, startIndexServer } from '../common.ts'
import type { ScaleQuestion } from '../question.ts'

const AGAIN = 5

export const versions: ScaleQuestion = {
  name: 'versions',
  title: 'An index with so many versions',
  of: 'versions',
  sizes: [100, 1_000, 10_000, 100_000],
  measures: [
    { name: 'bytes', unit: 'bytes', of: 'whole' },
    { name: 'first answer', unit: 'ms', of: 'whole' },
    { name: 'the next ones', unit: 'ms', of: 'whole' },
    { name: '304', unit: 'ms', of: 'whole' },
    { name: 'memory at most', unit: 'MiB', of: 'whole' }
  ],
  words: 'One client, one request after the other, `charts.index.maxAge: 0s`: each answer is of after its request, so the repository is asked each time, for a 304 too. The first answer reads every line; the next ones compare bytes. Memory is what the process had at most above what it had before the first request.',
  async measure (lab, size) {
    const gateway = await startBefore(lab, await startIndexServer(lab))
    const url = `${gateway.origin}/org1/v${size}/index.yaml`
    const headers = { authorization: gateway.basic }
    await get(`${gateway.origin}/org1/v1/index.yaml`, headers) // the password is hashed, and the code is warm
    const idle = await mebibytesOf(gateway.program.pid, 'VmHWM')
    const [first, answer] = await timed(url, headers)
    const again: number[] = []
    for (let i = 0; i < AGAIN; i++) again.push((await timed(url, headers))[0])
    const unchanged: number[] = []
    for (let i = 0; i < AGAIN; i++) unchanged.push((await timed(url, { ...headers, 'if-none-match': answer.headers.etag as string }, 304))[0])
    return [answer.body.length, first, summarise(again).median, summarise(unchanged).median, await mebibytesOf(gateway.program.pid, 'VmHWM') - idle]
  }
}

async function timed (url: string, headers: Readonly<Record<string, string>>, status = 200): Promise<[ms: number, answer: Answer]> {
  const from = performance.now()
  const answer = await get(url, headers)
  if (answer.status !== status) throw new Error(`${url} is answered ${answer.status}`)
  return [performance.now() - from, answer]
}
