// What of a changed configuration a running process takes over, and what it keeps.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { loadConfig, type ConfigResult } from '../../src/config/load.ts'
import { RELOAD_OF, WHY_A_RESTART, keysChanged, type ConfigKey } from '../../src/config/reloads.ts'
import { ConfigSchema, type Config } from '../../src/config/schema.ts'
import { leaves } from '../../src/files/nodes.ts'
import { testFolder, type TestLike } from '../helpers/folder.ts'

interface Running { readonly config: Config, readonly write: (config: object) => void, readonly again: () => Promise<ConfigResult> }

async function running (t: TestLike, first: object, env = {}): Promise<Running> {
  const dir = testFolder(t, { secret: 'a-secret-of-sixteen' })
  const file = join(dir, 'chartgate.yaml')
  const write = (config: object): void => { writeFileSync(file, stringify(config)) }
  write(first)
  const loaded = await loadConfig(file, env)
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'))
  let held = loaded.config.written
  const again = async (): Promise<ConfigResult> => {
    const result = await loadConfig(file, env, undefined, held)
    if (result.ok) held = result.config.written
    return result
  }
  return { config: loaded.config, write, again }
}

await t.test('each key of the configuration says whether it reloads', t => {
  t.same(Object.keys(RELOAD_OF), leaves(ConfigSchema).map(({ path }) => path.join('.')))
  t.end()
})

await t.test('what follows from a key that waits for a restart waits with it, and is not named', async t => {
  const { write, again } = await running(t, { publicUrl: 'https://one.example/helm' })
  write({ publicUrl: 'https://two.example', log: { level: 'debug' } })
  t.match(await again(), { ok: true, later: ['publicUrl'], config: { publicUrl: 'https://one.example/helm', basePath: '/helm', tokens: { issuer: 'https://one.example/helm', service: 'one.example' }, log: { level: 'debug' } } })
  write({ publicUrl: 'https://one.example/helm', listen: { port: 5001 } })
  t.match(await again(), { ok: true, later: [] }, 'a default that is written is no other value')
})

await t.test('what is right as a whole, and is not with what was there before, is a mistake that says so', async t => {
  const { write, again } = await running(t, { listen: { host: '0.0.0.0' } })
  write({ listen: { host: '127.0.0.1' }, masterKey: 'MASTERKEY' })
  t.match(await again(), { ok: false, mistakes: [/chartgate\.yaml:\d+:1: masterKey: .*; a restart applies it, with listen\.host$/] }, 'the key that everybody knows does not work on every address')
})

await t.test('a listener goes on with other files, and begins or ends with TLS at a restart', async t => {
  const { config, write, again } = await running(t, { listen: { tls: { cert: 'a.pem', key: 'k.pem' } } }, { CHARTGATE_MASTER_KEY_FILE: 'secret' })
  t.match(config.secretFiles, [/\/secret$/])
  write({ listen: { tls: { cert: 'b.pem', key: 'k.pem' } } })
  writeFileSync(config.secretFiles[0] as string, 'another-secret-of-sixteen\n')
  t.match(await again(), { ok: true, later: [], config: { masterKey: 'another-secret-of-sixteen', listen: { tls: { cert: /b\.pem$/, key: /k\.pem$/ } } } })
  write({ listen: { tls: { cert: 'b.pem', key: 'k.pem', minVersion: '1.3', clientCa: 'ca.pem' } }, upstream: { url: '' } })
  t.match(await again(), { ok: true, later: ['listen.tls.clientCa'], config: { listen: { tls: { clientCa: undefined, minVersion: '1.3' } } } })
  write({ log: { level: 'debug' } })
  t.match(await again(), { ok: true, later: ['listen.tls.cert', 'listen.tls.key'], config: { publicUrl: /^https:/, listen: { tls: { cert: /b\.pem$/ } }, log: { level: 'debug' } } }, 'until then it goes on with what it had')
})

await t.test('why a restart has to apply a key is said of none that another way applies', t => {
  for (const key of Object.keys(WHY_A_RESTART)) t.equal(RELOAD_OF[key as ConfigKey], 'restart', key)
  t.end()
})

await t.test('without a file the environment alone is read again', async t => {
  const loaded = await loadConfig(undefined, { CHARTGATE_WORKERS: '2' })
  if (!loaded.ok) throw new Error('it is right')
  t.match(await loadConfig(undefined, { CHARTGATE_LOG_LEVEL: 'warn' }, undefined, loaded.config.written), { ok: true, later: ['workers'], config: { workers: 2, log: { level: 'warn' } } })
  t.same(keysChanged({ a: [1], b: 2 }, { a: [1], b: 3 }), ['b'])
})
