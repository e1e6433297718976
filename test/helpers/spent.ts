// What remembers tokens that count once, in tests.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../src/lib/clock.ts'
import type { Shown, Spent } from '../../src/tokens/spent.ts'
import { openSpentFile } from '../../src/tokens/spent-file.ts'

/** A token that is shown: issued now, and for ten minutes if it is not said otherwise. */
export function shown (name: string, more: Partial<Shown> = {}): Shown {
  return { provider: 'github', name, seconds: 600, age: 1, ...more }
}

/** Makes the file of a stateDir, as if it had been kept for ever. */
export async function keptForEver (stateDir: string): Promise<string> {
  const file = join(stateDir, 'exchanged')
  await mkdir(stateDir, { recursive: true })
  await writeFile(file, 'since 0\n')
  return file
}

/** The memory of a stateDir, as if it had been kept for ever. */
export async function spentIn (stateDir: string, clock: Clock): Promise<Spent> {
  const opened = await openSpentFile(await keptForEver(stateDir), { clock, outages: { report () {} } })
  if (!opened.ok) throw new Error(opened.message)
  return opened.spent
}
