// What does the ChartMuseum behind it spend on one index, by where it keeps it? In memory, in
// Redis, or nowhere (--always-regenerate-chart-index), as several addresses need.
import { chartsOf } from '../../lab/charts.ts'
import { startChartMuseum } from '../../lab/chartmuseum.ts'
import type { Lab } from '../../lab/lab.ts'
import { TENANT } from '../../lab/server.ts'
import { cpuOf } from '../../lab/usage.ts'
import { get } from '../../load/answer.ts'
import { findProgram, freePorts } from '../../../test/helpers/processes.ts'
import type { ScaleQuestion } from '../question.ts'

const ENOUGH = { times: 200, ms: 2_500 }

export const museum: ScaleQuestion = {
  name: 'museum',
  title: 'The ChartMuseum behind it, for one index of so many versions',
  of: 'versions',
  sizes: [100, 1_000, 4_000],
  measures: [
    { name: 'in memory', unit: 'ms', of: 'whole' },
    { name: 'in Redis', unit: 'ms', of: 'whole' },
    { name: 'always made anew', unit: 'ms', of: 'whole' }
  ],
  words: 'CPU of ChartMuseum for one index, from local storage, without auth and without state files; of Redis itself nothing is counted. In Redis an index is one JSON text, which is read whole for each question (pkg/chartmuseum/server/multitenant/cache.go, v0.16.5); made anew means that the folder is listed and compared.',
  async measure (lab, size) {
    const redis = await startRedis(lab)
    return [
      await costOf(lab, size, []),
      redis === undefined ? undefined : await costOf(lab, size, ['--cache', 'redis', '--cache-redis-addr', redis]),
      await costOf(lab, size, ['--always-regenerate-chart-index'])
    ]
  }
}

/** Milliseconds of CPU for one index that was asked for before; undefined: there is no ChartMuseum. */
async function costOf (lab: Lab, size: number, besides: readonly string[]): Promise<number | undefined> {
  const server = await startChartMuseum(lab, { charts: chartsOf(size), auth: 'none', besides: ['--disable-statefiles', ...besides] })
  if ('missing' in server) return undefined
  const url = `${server.origin}/${TENANT}/index.yaml`
  for (let i = 0; i < 2; i++) await get(url, {})
  const before = await cpuOf(server.program.pid)
  const end = performance.now() + ENOUGH.ms
  let count = 0
  while (count === 0 || (count < ENOUGH.times && performance.now() < end)) {
    if ((await get(url, {})).status !== 200) throw new Error(`${url} is not answered`)
    count++
  }
  const cost = (await cpuOf(server.program.pid) - before) / 1000 / count
  await server.program.stop()
  return cost
}

/** Its address; undefined: there is none here. */
async function startRedis (lab: Lab): Promise<string | undefined> {
  const program = await findProgram('redis-server')
  if (program === undefined) return undefined
  const [port] = await freePorts(1) as [number]
  await lab.start([...lab.cores.pin('beside'), program, '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', await lab.folder()], { readyUrl: `tcp://127.0.0.1:${port}` })
  return `127.0.0.1:${port}`
}
