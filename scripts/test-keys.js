// Makes the RSA keys that gateways under test begin with (test/helpers/key-pool.ts), where
// they are not there yet. They are of this machine alone, and never leave dist/.
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Two for each of the gateways that one test has at once. */
const COUNT = 24

/** @param {string} root */
export function writeKeys (root) {
  const pool = join(root, 'dist/test/keys')
  mkdirSync(pool, { recursive: true })
  for (let i = 0; i < COUNT; i++) {
    const file = join(pool, `${i}.pem`)
    if (existsSync(file)) continue
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  }
}
