// The commands about keys: list, rotate, and export of the one that ChartMuseum is given.
import { readFile, realpath, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve, sep } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openKeys } from '../live/live-keys.ts'
import type { Config } from '../config/schema.ts'
import { CLOCK } from '../lib/clock.ts'
import { rotateFolder, showTime } from '../tokens/key-folder.ts'
import { isOwnAlgorithm, OWN_ALGORITHMS } from '../tokens/keys.ts'
import { tokensEnd, type StatedKey } from '../tokens/ring.ts'
import { keyFolder } from '../tokens/trusted.ts'
import { fail, printJson, printTable, type ExitCode, type WrongUsage } from './command.ts'
import { configured, type Configured } from './configured.ts'
import { recorded } from './recorded.ts'

const PUBLIC = /^\s*(?:-----BEGIN (?:PUBLIC KEY|CERTIFICATE)-----|$)/

export const KEYS_LIST = configured(runList)
export const KEYS_ROTATE = recorded('keys.rotate', undefined, configured(runRotate))
export const KEYS_EXPORT = configured(runExport)

async function runList ({ config, io, options: { json } }: Configured): Promise<ExitCode> {
  const opened = await openKeys(config, { make: false })
  if (!opened.ok) return fail(io, ...opened.mistakes)
  const { live, upstream } = opened.opened
  const rows = [
    ...live.current.ring.states(CLOCK.wall()).map(row('tokens')),
    row('upstream')({ key: upstream, state: 'active' })
  ]
  if (json === true) printJson(io, rows)
  else {
    printTable(io, [
      ['USE', 'STATE', 'ALG', 'SINCE', 'KID', 'FILE'],
      ...rows.map(({ use, state, alg, since, kid, file }) => [use, state, alg, since ?? '-', kid, file])
    ])
  }
  return 0
}

async function runRotate ({ config, io, options: { alg } }: Configured): Promise<ExitCode | WrongUsage> {
  if (alg !== undefined && !isOwnAlgorithm(alg)) {
    return { wrong: [`${JSON.stringify(alg)} is no algorithm for tokens: ${OWN_ALGORITHMS.join(', ')}`] }
  }
  if (config.tokens.keys.length > 0) return fail(io, ...steps(config))
  const opened = await openKeys(config, { make: false })
  if (!opened.ok) return fail(io, ...opened.mistakes)
  const before = opened.opened.live.current.ring.signing(CLOCK.wall())
  const rotated = await rotateFolder(keyFolder(config), alg, config.tokens.ttl, CLOCK.wall())
  if (!rotated.ok) return fail(io, rotated.message)
  const { key, since, removed } = rotated
  io.stdout(`${key.file} (${key.alg}, ${key.kid}) is made and published\n`)
  for (const file of removed) io.stdout(`${file} was retired, and is removed\n`)
  await sleep(since * 1000 - Date.now())
  io.stdout(
    `it signs since ${showTime(since)}; ${before.file} is verified until ` +
    `${showTime(tokensEnd(since, config.tokens.ttl))}, and retired then\n`
  )
  return 0
}

/** What to do with keys that the configuration names: no command changes that file. */
function steps ({ tokens: { keys, ttl } }: Config): string[] {
  const active = keys.find(({ state }) => state === 'active')?.file as string
  return [
    'tokens.keys names keys of your own, which only you can rotate; running gateways follow each step within a second',
    '1. make a key: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out new.pem && chmod 600 new.pem',
    '2. add it: { file: new.pem, alg: RS256, state: verify }',
    `3. when every gateway has it: state: active for new.pem, state: verify for ${active}`,
    `4. ${tokensEnd(0, ttl)} s later, when no token of ${active} is left: state: retired for it, or take it out`
  ]
}

/** The public upstream key in PEM, on standard output or in the file `--out`; makes the keys when there are none. */
async function runExport ({ config, io, options: { out } }: Configured): Promise<ExitCode> {
  const opened = await openKeys(config)
  if (!opened.ok) return fail(io, ...opened.mistakes)
  const pem = opened.opened.upstream.publicKey.export({ type: 'spki', format: 'pem' }) as string
  if (out === undefined) {
    io.stdout(pem)
    return 0
  }
  try {
    const mistake = await overwrites(out, keyFolder(config))
    if (mistake !== undefined) return fail(io, mistake)
    await writeFile(out, pem)
  } catch (error) {
    return fail(io, `${out} cannot be written: ${(error as Error).message}`)
  }
  io.stderr(`chartgate: ${out} is the public upstream key, for ChartMuseum's AUTH_CERT_PATH\n`)
  return 0
}

/** What would be lost: a file that holds something else than a public key, and anything where the private keys are. */
async function overwrites (out: string, keysFolder: string): Promise<string | undefined> {
  const folder = await realpath(dirname(resolve(out)))
  // With keys of one's own for everything there is no such folder.
  const keys = await realpath(keysFolder).catch(() => resolve(keysFolder))
  if (`${folder}${sep}`.startsWith(`${keys}${sep}`)) {
    return `${out} is in the folder of the private keys: choose another --out`
  }
  const isFile = await stat(out).then(found => found.isFile(), () => false)
  return isFile && !PUBLIC.test(await readFile(out, 'utf8'))
    ? `${out} holds something else than a public key, and is not written over: choose another --out`
    : undefined
}

interface KeyRow {
  readonly use: string
  readonly state: string
  readonly alg: string
  /** When it began to sign; null when no file says so. */
  readonly since: string | null
  readonly kid: string
  readonly file: string
}

function row (use: string): (stated: StatedKey) => KeyRow {
  return ({ key: { alg, kid, file }, state, since = 0 }) => {
    return { use, state, alg, since: since === 0 ? null : showTime(since), kid, file }
  }
}
