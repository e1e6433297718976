// A disk of a test's own, which it mounts read-only; only root may, and not in every container.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestLike } from './processes.ts'

const run = promisify(execFile)

export interface Disk {
  readonly dir: string
  mount (how: 'ro' | 'rw'): Promise<void>
}

/** Why there is none; undefined: there is. */
export const NO_DISK = await tryOne()

async function tryOne (): Promise<string | undefined> {
  const undo: (() => unknown)[] = []
  const disk = await mountDisk({ teardown: fn => undo.push(fn) }).catch(() => undefined)
  for (const each of undo) await each()
  return disk === undefined ? 'no disk can be mounted here' : undefined
}

/** A disk that can be written. */
export async function mountDisk (t: TestLike): Promise<Disk> {
  const dir = await mkdtemp(join(tmpdir(), 'disk-'))
  t.teardown(async () => {
    await run('umount', ['-l', dir]).catch(() => {}) // where it could not be mounted
    await rm(dir, { recursive: true, force: true })
  })
  await run('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'none', dir])
  return { dir, mount: async how => { await run('mount', ['-o', `remount,${how}`, dir]) } }
}
