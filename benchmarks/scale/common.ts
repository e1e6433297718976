// What questions about growth start and read.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT, freePorts } from '../../test/helpers/processes.ts'
import { startGateway, type Gateway, type GatewayOptions } from '../lab/gateway.ts'
import type { Lab } from '../lab/lab.ts'
import { cpuOf } from '../lab/usage.ts'
import type { Load } from '../load/outputs.ts'

/** The address of a repository that has an index of any size for any tenant (drivers/index-server.ts). */
export async function startIndexServer (lab: Lab): Promise<string> {
  const [port] = await freePorts(1) as [number]
  await lab.start([...lab.cores.pin('beside'), process.execPath, join(ROOT, 'dist/benchmarks/drivers/index-server.js')], { readyUrl: `http://127.0.0.1:${port}/health`, env: { BENCH_TASK: JSON.stringify({ port }) } })
  return `http://127.0.0.1:${port}`
}

/** A gateway in front of it. */
export async function startBefore (lab: Lab, url: string, { besides, ...options }: GatewayOptions = {}): Promise<Gateway> {
  return await startGateway(lab, { ...options, besides: { upstream: { url, auth: 'none' }, ...besides } })
}

export interface Drive {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly connections: number
  readonly seconds: number
}

/** What is asked. */
export type Asked = Pick<Gateway, 'origin' | 'program'>

/** Microseconds of CPU of it for a request of such a turn, and what the generator saw. @throws when an answer was 400 or above */
export async function cpuOfEach (lab: Lab, { origin, program }: Asked, { path, ...how }: Drive): Promise<{ readonly each: number, readonly load: Load }> {
  const before = await cpuOf(program.pid)
  const load = await lab.load.run({ url: origin + path, ...how })
  const faults = Object.entries(load.faults).map(([kind, count]) => `${count} ${kind}`)
  if (faults.length > 0 || load.requests === 0) throw new Error(`${path}: ${faults.join(', ')} among ${load.requests} requests`)
  return { each: (await cpuOf(program.pid) - before) / load.requests, load }
}

/** A file with a header, which no command line has to show. */
export async function inFile (lab: Lab, text: string): Promise<string> {
  const file = join(await lab.folder(), 'authorization')
  await writeFile(file, text, { mode: 0o600 })
  return file
}
