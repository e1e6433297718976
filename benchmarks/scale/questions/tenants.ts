// So many tenants, each asked for once: what is remembered of them.
import { runDriver } from '../../lab/drivers.ts'
import { cpuOf, mebibytesOf } from '../../lab/usage.ts'
import { get } from '../../load/answer.ts'
import { inFile, startBefore, startIndexServer } from '../common.ts'
import type { ScaleQuestion } from '../question.ts'

const CONNECTIONS = 32

export const tenants: ScaleQuestion = {
  name: 'tenants',
  title: 'So many tenants, each asked for once',
  of: 'tenants',
  sizes: [10, 100, 1_000, 10_000, 100_000],
  measures: [
    { name: 'all of them', unit: 's', of: 'whole' },
    { name: 'CPU', unit: 'µs', of: 'each' },
    { name: 'memory', unit: 'MiB', of: 'whole' }
  ],
  words: '32 connections, an index of one version each, `charts.index.maxAge: 1s`, so that each is remembered; one account, whose password is remembered too. Memory is above what the process had before, after a second of rest; it ends at `charts.index.maxBytes`.',
  async measure (lab, size) {
    const gateway = await startBefore(lab, await startIndexServer(lab), { maxAge: '1s' })
    await get(`${gateway.origin}/org1/v1/index.yaml`, { authorization: gateway.basic })
    const { pid } = gateway.program
    const [cpu, memory] = [await cpuOf(pid), await mebibytesOf(pid)]
    const { seconds } = await runDriver<{ seconds: number }>(lab, 'beside', 'touch', { origin: gateway.origin, authorizationFile: await inFile(lab, gateway.basic), tenants: size, connections: CONNECTIONS })
    const each = (await cpuOf(pid) - cpu) / size
    await new Promise(resolve => { setTimeout(resolve, 1_000) })
    // Below a thousand the system's hundredths of a second say nothing.
    return [seconds, size < 1_000 ? undefined : each, await mebibytesOf(pid) - memory]
  }
}
