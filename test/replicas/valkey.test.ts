// What is proven with Redis holds with Valkey: the same tests, each in a process of its own, with
// that for a server.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { skipped } from '../helpers/not-tried.ts'
import { findProgram, run, ROOT } from '../helpers/processes.ts'

/** Of a Valkey alone: one that stands in for Redis is tried by those tests themselves. */
const valkey = process.env['VALKEY_SERVER'] ?? await findProgram('valkey-server')
/** Those without a server have nothing to try, and this one is none of them. */
const OWN = ['valkey', 'connections', 'others', 'outages']
const HERE = join(ROOT, 'dist/test/replicas')

t.setTimeout(600_000)
if (valkey === undefined) await skipped(t, 'a real Valkey', 'no valkey-server on the PATH, and VALKEY_SERVER names none')
else {
  const { stdout } = await run(valkey, ['--version'])
  t.match(stdout, /^Valkey server/)
  for (const file of readdirSync(HERE).filter(file => file.endsWith('.test.js') && !OWN.some(own => file.startsWith(`${own}.`)))) {
    const { code, stdout } = await run(process.execPath, [join(HERE, file)], { env: { ...process.env, REDIS_SERVER: valkey, TAP_TIMEOUT: '300' } })
    t.equal(code, 0, `${file}: ${stdout.split('\n').filter(line => /^ *not ok/.test(line)).join('; ')}`)
  }
}
