// `chartgate repository`: the embedded chart repository alone, without a configuration
// and without a gateway in front of it.
import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Environment } from '../config/environment.ts'
import type { Depth } from '../repository/routing.ts'
import { serveRepository } from '../serve/repository-server.ts'
import { fail, type Command, type ExitCode, type Io, type WrongUsage } from './command.ts'
import type { Option, Options } from './options.ts'

const NEEDED = ['dir', 'port', 'depth'] as const satisfies readonly Option[]
const SMALLEST_MODULUS = 2048

export const REPOSITORY: Command = { run: runRepository }

async function runRepository (options: Options, env: Environment, io: Io): Promise<ExitCode | WrongUsage> {
  const { dir = '', port = '', depth = '', 'public-key': keyFile } = options
  const wrong = NEEDED.filter(name => (options[name] ?? '') === '').map(name => `repository needs --${name}`)
  if (port !== '' && !(/^\d{1,5}$/.test(port) && Number(port) <= 65535)) {
    wrong.push(`--port ${JSON.stringify(port)} is not a port number from 0 to 65535`)
  }
  if (depth !== '' && readDepth(depth) === undefined) {
    wrong.push(`--depth ${JSON.stringify(depth)} is not a whole number from 0 to 10, or dynamic`)
  }
  if (wrong.length > 0) return { wrong }

  const key = keyFile === undefined ? undefined : await readPublicKey(keyFile)
  if (typeof key === 'string') return fail(io, key)
  const served = await serveRepository({
    dir: resolve(dir),
    port: Number(port),
    depth: readDepth(depth) as Depth,
    env,
    ...(key === undefined ? {} : { publicKey: key })
  })
  // What follows is in a process of its own, where a test starts it.
  if (!served.ok) return fail(io, served.message) /* c8 ignore start */
  await served.closed
  return 0
}
/* c8 ignore stop */

function readDepth (text: string): Depth | undefined {
  if (text === 'dynamic') return text
  return /^\d{1,2}$/.test(text) && Number(text) <= 10 ? Number(text) : undefined
}

/** The RSA key of a PEM file, as ChartMuseum's AUTH_CERT_PATH has it: a public key or a certificate. */
async function readPublicKey (file: string): Promise<KeyObject | string> {
  let pem: string
  try {
    pem = await readFile(file, 'utf8')
  } catch (error) {
    return `--public-key ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`
  }
  // createPublicKey would take it.
  if (pem.includes('PRIVATE KEY')) {
    return `--public-key ${file} is a private key: keep it where tokens are signed, ` +
      'and give the public one (chartgate keys export)'
  }
  let key: KeyObject
  try {
    key = createPublicKey(pem)
  } catch {
    return `--public-key ${file} is not a public key or certificate in PEM`
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (key.asymmetricKeyType !== 'rsa' || bits < SMALLEST_MODULUS) {
    return `--public-key ${file} is not an RSA key of at least ${SMALLEST_MODULUS} bits: ` +
      'tokens are signed with RS256'
  }
  return key
}
