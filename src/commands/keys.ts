// `chartgate keys`: which keys there are, and the public one that ChartMuseum needs.
import { readFile, realpath, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { openKeyStore } from '../tokens/keys.ts'
import { fail, type ExitCode } from './command.ts'
import type { Configured } from './configured.ts'

const PUBLIC = /^\s*(?:-----BEGIN (?:PUBLIC KEY|CERTIFICATE)-----|$)/

/** A table of both keys; makes none. */
export async function listKeys ({ config: { stateDir }, io }: Configured): Promise<ExitCode> {
  const opened = await openKeyStore(join(stateDir, 'keys'), { make: false })
  if (!opened.ok) return fail(io, opened.message)
  const { signing, upstream } = opened.keys
  io.stdout(`USE       ALG    ${'KID'.padEnd(43)} FILE\n`)
  for (const [use, { alg, kid, file }] of [['tokens', signing], ['upstream', upstream]] as const) io.stdout(`${use.padEnd(9)} ${alg.padEnd(6)} ${kid} ${file}\n`)
  return 0
}

/** The public upstream key in PEM, on standard output or in the file `--out`; makes the keys when there are none. */
export async function exportKey ({ config: { stateDir }, io, options: { out } }: Configured): Promise<ExitCode> {
  const folder = join(stateDir, 'keys')
  const opened = await openKeyStore(folder)
  if (!opened.ok) return fail(io, opened.message)
  const pem = opened.keys.upstream.publicKey.export({ type: 'spki', format: 'pem' }) as string
  if (out === undefined) {
    io.stdout(pem)
    return 0
  }
  try {
    const mistake = await overwrites(out, folder)
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
  if (`${folder}${sep}`.startsWith(`${await realpath(keysFolder)}${sep}`)) return `${out} is in the folder of the private keys: choose another --out`
  const isFile = await stat(out).then(found => found.isFile(), () => false)
  return isFile && !PUBLIC.test(await readFile(out, 'utf8')) ? `${out} holds something else than a public key, and is not written over: choose another --out` : undefined
}
