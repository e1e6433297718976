// What a user would take instead for oci://: distribution's registry, which checks each
// request's token as chartgate does, with the key of the lab; and what is stored in it.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { goToolOf } from '../../test/helpers/go-tool.ts'
import { askOci, manifestIn, placeOf, putManifest, type AskOci } from '../../test/helpers/oci.ts'
import { ROOT, findProgram, freePorts, run } from '../../test/helpers/processes.ts'
import type { Lab } from './lab.ts'
import type { MaybeServer, Server } from './server.ts'
import { PUBLIC_URL, SERVICE, registryToken } from './tokens.ts'

/** A server that is asked as a registry, with a token for this one repository. */
export function asRegistry (lab: Lab, server: MaybeServer, name: string): MaybeServer {
  return 'missing' in server ? server : { ...server, authorization: async () => `Bearer ${await registryToken(lab, name)}` }
}

const MODULE = 'benchmarks/registry'

/** $REGISTRY, or the one on PATH; undefined: it is built. */
const registryFound = async (): Promise<string | undefined> => process.env['REGISTRY'] ?? await findProgram('registry')

/** The program, or what benchmarks/registry pins, built with Go. */
async function registryProgram (): Promise<{ readonly path: string } | { readonly missing: string }> {
  const path = await registryFound()
  if (path !== undefined) return { path }
  const built = await goToolOf(MODULE)
  return built.ok ? built : { missing: `no registry on the PATH, REGISTRY names none, and ${built.reason}` }
}

/** Which version it is, or would be: for this nothing is built. */
export async function registryVersion (): Promise<string> {
  const path = await registryFound()
  const [text, version] = path === undefined
    ? [await readFile(join(ROOT, MODULE, 'go.mod'), 'utf8'), /distribution\/v3 (v\S+)/]
    : [(await run(path, ['--version'])).stdout, /\S+$/m]
  return `${version.exec(text)?.[1] ?? version.exec(text)?.[0] ?? 'unknown'}${path === undefined ? ` (${MODULE}/go.mod)` : ''}`
}

/**
 * Starts distribution's registry on files, with the memory of blobs that its own example has,
 * without a log of requests.
 */
export async function startRegistry (lab: Lab, name: string): Promise<MaybeServer> {
  const program = await registryProgram()
  if ('missing' in program) return program
  const folder = await lab.folder()
  const [jwks, file] = [join(folder, 'jwks.json'), join(folder, 'registry.yaml')]
  const { publicKey, kid, alg } = lab.keys.signing
  await writeFile(jwks, JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' }] }))
  const [port] = await freePorts(1) as [number]
  await writeFile(file, stringify({
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'root') }, cache: { blobdescriptor: 'inmemory' } },
    http: { addr: `127.0.0.1:${port}` },
    auth: { token: { realm: `${PUBLIC_URL}/oauth/token`, service: SERVICE, issuer: PUBLIC_URL, jwks } }
  }))
  const origin = `http://127.0.0.1:${port}`
  await lab.start([...lab.cores.pin('tested'), program.path, 'serve', file], { readyUrl: `${origin}/v2/`, env: { OTEL_TRACES_EXPORTER: 'none' } })
  return asRegistry(lab, { origin, authorization: async () => undefined }, name)
}

/** Copies a repository's tags from one registry to another, byte for byte. */
export async function copyTags (from: Server, to: Server, name: string, tags: readonly string[]): Promise<void> {
  const [source, target] = [await asker(from), await asker(to)]
  for (const tag of tags) {
    const manifest = await expecting(200, source(`${name}/manifests/${tag}`))
    const { config, layers } = manifestIn(manifest)
    for (const { digest } of [config, ...layers]) {
      const { bytes } = await expecting(200, source(`${name}/blobs/${digest}`))
      const begun = await expecting(202, target(`${name}/blobs/uploads/`, { method: 'POST' }))
      const place = new URL(placeOf(begun), `${to.origin}/v2/`)
      place.searchParams.set('digest', digest)
      await expecting(201, target(place.href.slice(`${to.origin}/v2/`.length), { method: 'PUT', body: bytes, headers: { 'content-type': 'application/octet-stream' } }))
    }
    await expecting(201, putManifest(target, name, tag, manifest.bytes))
  }
}

async function asker ({ origin, authorization }: Server): Promise<AskOci> {
  const header = await authorization()
  return async (path, options) => await askOci(origin, path, header, options)
}

async function expecting (status: number, asked: ReturnType<AskOci>): ReturnType<AskOci> {
  const answer = await asked
  if (answer.status === status) return answer
  throw new Error(`a registry answers ${answer.status}, not ${status}: ${answer.bytes.toString().slice(0, 200)}`)
}
