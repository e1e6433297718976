// A real ChartMuseum, with its own bearer auth or without any.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NO_CHARTMUSEUM, chartMuseum } from '../../test/helpers/chartmuseum.ts'
import { freePorts } from '../../test/helpers/processes.ts'
import type { Fill } from './charts.ts'
import type { Place } from './cores.ts'
import type { Lab } from './lab.ts'
import type { Program } from './program.ts'
import type { Server } from './server.ts'
import { chartMuseumToken } from './tokens.ts'

export interface ChartMuseumOptions {
  readonly charts: Fill
  /** bearer: takes what the lab's upstream key signed, of clients and of gateways. */
  readonly auth: 'bearer' | 'none'
  /** More of its options. */
  readonly besides?: readonly string[]
  /** Tested, or the upstream of who is. */
  readonly place?: Place
}

export interface ChartMuseum extends Server {
  readonly program: Program
}

/** Starts it as its README says, at depth 2. */
export async function startChartMuseum (lab: Lab, { charts, auth, place = 'tested', besides = [] }: ChartMuseumOptions): Promise<ChartMuseum | { readonly missing: string }> {
  if (chartMuseum === undefined) return { missing: NO_CHARTMUSEUM }
  const folder = await lab.folder()
  const [storage, pem] = [join(folder, 'charts'), join(folder, 'upstream.pem')]
  await mkdir(storage)
  await charts(storage)
  await writeFile(pem, lab.keys.upstream.publicKey.export({ type: 'spki', format: 'pem' }))
  const [port] = await freePorts(1) as [number]
  const origin = `http://127.0.0.1:${port}`
  const bearer = ['--bearer-auth', '--auth-realm', 'http://charts.example.test/oauth/token', '--auth-service', 'charts.example.test', '--auth-cert-path', pem]
  const program = await lab.start([
    ...lab.cores.pin(place), chartMuseum,
    '--depth', '2', '--storage', 'local', '--storage-local-rootdir', storage, '--port', String(port), '--listen-host', '127.0.0.1',
    ...(auth === 'bearer' ? bearer : []), ...besides
  ], { readyUrl: `${origin}/health` })
  return { origin, program, authorization: async tenant => auth === 'bearer' ? `Bearer ${await chartMuseumToken(lab, tenant)}` : undefined }
}
