// Keys for gateways under test, made once by scripts/prepare-tests.js: to make the two RSA keys
// of a first start takes longer than most tests. That a start makes them itself is shown by
// tests of keys and of folders, which lay none.
import { randomInt } from 'node:crypto'
import { copyFile, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const POOL = fileURLToPath(new URL('../keys/', import.meta.url))
const TURN = randomInt(2 ** 20)
let laid = 0

/** Lays the keys of a first start into a state folder that has none; gateways of one process get others in turn. */
export async function layKeys (stateDir: string): Promise<void> {
  const pool = (await readdir(POOL)).sort()
  const folder = join(stateDir, 'keys')
  if (await mkdir(folder, { recursive: true, mode: 0o700 }) === undefined) return // it has its own
  for (const name of ['token.pem', 'upstream.pem']) {
    await copyFile(join(POOL, pool[(TURN + laid++) % pool.length] as string), join(folder, name))
  }
}
