// Is deploy/systemd/chartgate.service a unit that systemd takes, and as shut off as the docs
// say? systemd itself is asked, without running it.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Environment } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import { DRAIN_LIMIT } from '../../src/app.ts'
import { notTried } from '../helpers/not-tried.ts'
import { findProgram, ROOT, run, temporaryFolder, type RunResult } from '../helpers/processes.ts'

const UNIT = join(ROOT, 'deploy/systemd/chartgate.service')
const text = await readFile(UNIT, 'utf8')
const valueOf = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1] as string

await t.test('its environment is configuration, and an end has the time that it needs', async t => {
  const env: Environment = Object.fromEntries(valueOf('Environment').split(' ').map(pair => pair.split('=') as [string, string]))
  t.match(await loadConfig(undefined, env), { ok: true, config: { stateDir: `/var/lib/${valueOf('StateDirectory')}` } })
  t.ok(Number(valueOf('TimeoutStopSec')) * 1000 > DRAIN_LIMIT + 5000)
})

if (await findProgram('systemd-analyze') === undefined) await notTried(t, 'systemd-analyze', 'it is not installed')
else {
  const folder = await temporaryFolder(t)
  const analyze = async (unit: string, ...args: string[]): Promise<RunResult> => {
    await mkdir(folder, { recursive: true })
    // It is not installed here; the program of this machine stands for it.
    await writeFile(join(folder, 'chartgate.service'), unit.replace('ExecStart=chartgate', `ExecStart=${process.execPath}`))
    return await run('systemd-analyze', [...args, join(folder, 'chartgate.service')])
  }

  await t.test('systemd finds nothing in it, and something in what is wrong', async t => {
    const { code, stdout, stderr } = await analyze(text, 'verify', '--man=no')
    t.same([code, stdout, stderr], [0, '', ''])
    for (const [right, wrong] of [['Restart=on-failure', 'Restart=on-fail'], ['UMask=', 'Umask='], ['Type=exec', 'Type=daemon']] as const) {
      t.match((await analyze(text.replace(right, wrong), 'verify', '--man=no')).stderr, /Unknown|Failed to parse/, wrong)
    }
  })

  await t.test('it is as shut off as docs/operations.md says', async t => {
    const { stdout } = await analyze(text, 'security', '--offline=true', '--no-pager')
    const levelIn = (text: string): number => Number(/Overall exposure level for chartgate\.service: (\d\.\d)/.exec(text)?.[1])
    const [level, documented] = [levelIn(stdout), levelIn(await readFile(join(ROOT, 'docs/operations.md'), 'utf8'))]
    // Other versions of systemd weigh some of it otherwise.
    t.ok(Math.abs(level - documented) <= 0.5, `${level}, and ${documented} in the docs`)
  })
}
