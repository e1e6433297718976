// What does a scenario start things with? A folder, keys, pinned programs, a load
// generator; and whatever it started ends with the lab, the last first.
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFolder, openUpstreamKey, prepareFolder, prepareUpstreamKey } from '../../src/tokens/key-folder.ts'
import type { SigningKey } from '../../src/tokens/keys.ts'
import type { LoadGenerator } from '../load/load.ts'
import type { Cores } from './cores.ts'
import { startProgram, type Program, type ProgramOptions } from './program.ts'

export interface Lab {
  readonly cores: Cores
  readonly load: LoadGenerator
  /** For gateways and for ChartMuseum: all of a lab take the same tokens. */
  readonly keys: { readonly signing: SigningKey, readonly upstream: SigningKey }
  /** A new folder, with a short name: Unix sockets below it allow about 100 bytes. */
  folder: () => Promise<string>
  /** A new folder with a copy of the keys in it. */
  stateDir: () => Promise<string>
  start: (command: readonly string[], options: Omit<ProgramOptions, 'log'>) => Promise<Program>
  /** A sentence for the results. */
  note: (text: string) => void
  readonly notes: readonly string[]
  close: () => Promise<void>
}

export async function openLab (cores: Cores, load: LoadGenerator): Promise<Lab> {
  const root = await mkdtemp(join(tmpdir(), 'chartgate-bench-'))
  const opened: (() => Promise<void>)[] = [async () => { await rm(root, { recursive: true, force: true }) }]
  const keyFolder = join(root, 'keys')
  await prepareFolder(keyFolder)
  await prepareUpstreamKey(keyFolder)
  const [{ key: signing }] = await openFolder(keyFolder)
  const keys = { signing, upstream: await openUpstreamKey(keyFolder) }
  const notes: string[] = []
  let count = 0
  const folder = async (): Promise<string> => {
    const path = join(root, String(++count))
    await mkdir(path)
    return path
  }
  return {
    cores,
    load,
    keys,
    folder,
    stateDir: async () => {
      const path = await folder()
      await mkdir(join(path, 'keys'), { mode: 0o700 })
      for (const { file } of [keys.signing, keys.upstream]) await copyFile(file, file.replace(root, path))
      return path
    },
    start: async (command, options) => {
      const program = await startProgram(command, { ...options, log: join(await folder(), 'log') })
      opened.push(program.stop)
      return program
    },
    note: text => { notes.push(text) },
    notes,
    close: async () => { for (const end of opened.splice(0).reverse()) await end() }
  }
}
