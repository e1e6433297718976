// So many pushes at once, each of a chart of 1 MiB, into the embedded repository.
import { largeArchive } from '../../lab/charts.ts'
import { runDriver } from '../../lab/drivers.ts'
import { startGateway } from '../../lab/gateway.ts'
import { TENANT } from '../../lab/server.ts'
import { cpuOf, mebibytesOf } from '../../lab/usage.ts'
import { inFile } from '../common.ts'
import type { ScaleQuestion } from '../question.ts'

const SECONDS = 4

export const uploads: ScaleQuestion = {
  name: 'uploads',
  title: 'So many uploads of 1 MiB at once',
  of: 'uploads',
  sizes: [1, 4, 16, 64],
  measures: [
    { name: 'pushes', unit: '/s', of: 'each' },
    { name: 'CPU', unit: 'ms', of: 'each' },
    { name: 'memory at most', unit: 'MiB', of: 'whole' }
  ],
  words: 'Into the embedded repository, which is in the same process; CPU is of a push and of the delete behind it. Memory is what the process had at most above what it had before.',
  async measure (lab, size) {
    const gateway = await startGateway(lab)
    const { pid } = gateway.program
    const folder = await lab.folder()
    const charts: { readonly file: string, readonly name: string, readonly version: string }[] = []
    for (let i = 0; i < size; i++) charts.push({ file: await largeArchive(folder, 'large', `0.${i}.0`, 1), name: 'large', version: `0.${i}.0` })
    const task = { origin: gateway.origin, tenant: TENANT, door: 'classic', authorizationFile: await inFile(lab, await gateway.authorization() as string), charts }
    await runDriver(lab, 'beside', 'upload', { ...task, charts: charts.slice(0, 1), seconds: 1 })
    const [cpu, idle] = [await cpuOf(pid), await mebibytesOf(pid, 'VmHWM')]
    const { count, rate } = await runDriver<{ count: number, rate: number }>(lab, 'beside', 'upload', { ...task, seconds: SECONDS })
    return [rate, (await cpuOf(pid) - cpu) / count / 1000, await mebibytesOf(pid, 'VmHWM') - idle]
  }
}
