// Somebody sends 200 wrong passwords at once, each for another name. What does everybody
// else notice, who has a token? Without the limits of failed logins, which would leave few
// of them to be hashed.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { smallChart } from '../lab/charts.ts'
import { runDriver } from '../lab/drivers.ts'
import { startGateway } from '../lab/gateway.ts'
import { TENANT } from '../lab/server.ts'
import type { Scenario } from '../scenario.ts'
import { INDEX } from './names.ts'

const PASSWORDS = 200
const P99 = 'an index with a token meanwhile, p99'
const RSS = 'memory meanwhile, RSS'
const UNLIMITED = { logins: { perAccount: 1_000_000, perAddress: 1_000_000 } }

interface Found { readonly alone: number, readonly p99: number, readonly reads: number, readonly rss: number }

export const wrongPasswords: Scenario = {
  name: 'wrong-passwords',
  title: `${PASSWORDS} wrong passwords at once, and somebody with a token`,
  turns: { rounds: 3, warmUp: true },
  goals: [
    { measured: P99, unit: 'ms', at: 'most', bound: 50 },
    { measured: RSS, unit: 'MiB', at: 'most', bound: 300 }
  ],
  async open (lab) {
    const gateway = await startGateway(lab, { charts: smallChart, besides: { limits: UNLIMITED } })
    return [{
      name: 'chartgate',
      async turn () {
        const authorizationFile = join(await lab.folder(), 'authorization')
        await writeFile(authorizationFile, await gateway.authorization(TENANT) ?? '', { mode: 0o600 })
        const { alone, p99, rss, reads } = await runDriver<Found>(lab, 'beside', 'passwords', { origin: gateway.origin, path: INDEX, authorizationFile, pid: gateway.program.pid, passwords: PASSWORDS })
        return [{ name: 'an index with a token before, p99', unit: 'ms', value: alone }, { name: P99, unit: 'ms', value: p99 }, { name: RSS, unit: 'MiB', value: rss }, { name: 'indexes meanwhile', unit: 'reads', value: reads }]
      }
    }]
  }
}
