// So many connections, all of which ask again as soon as they are answered.
import { mebibytesOf } from '../../lab/usage.ts'
import { cpuOfEach, startBefore, startIndexServer } from '../common.ts'
import type { ScaleQuestion } from '../question.ts'

const SECONDS = 3
const LIMITS = { maxConnections: 10_000, maxConnectionsPerAddress: 10_000 }

export const connections: ScaleQuestion = {
  name: 'connections',
  title: 'So many connections at once',
  of: 'connections',
  sizes: [1, 10, 100, 1_000, 5_000],
  measures: [
    { name: 'answers', unit: '/s', of: 'each' },
    { name: 'CPU', unit: 'µs', of: 'each' },
    { name: 'memory at most', unit: 'MiB', of: 'whole' }
  ],
  words: 'A small index with a token, `maxAge: 1s`, `listen.maxConnections` above the default; the load generator has the other core. Memory is what the process had at most above what it had before.',
  async measure (lab, size) {
    const gateway = await startBefore(lab, await startIndexServer(lab), { maxAge: '1s', listen: LIMITS })
    const { pid } = gateway.program
    const drive = { path: '/org1/v1/index.yaml', headers: { authorization: await gateway.authorization('org1/v1') as string }, seconds: SECONDS }
    await cpuOfEach(lab, gateway, { ...drive, connections: 1, seconds: 1 })
    const idle = await mebibytesOf(pid, 'VmHWM')
    const { each, load } = await cpuOfEach(lab, gateway, { ...drive, connections: size })
    return [load.requests / load.seconds, each, await mebibytesOf(pid, 'VmHWM') - idle]
  }
}
