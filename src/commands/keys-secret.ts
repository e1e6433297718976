// `chartgate keys secret NAME`: the keys of several gateways, made once in a Secret of the
// Kubernetes cluster that this runs in. It is written with a server-side apply, because
// that alone creates an object under a right for this one name (k8s.io/apiserver 0.37,
// pkg/endpoints/handlers/patch.go: `create` is asked for with the name in the URL).
import { randomBytes } from 'node:crypto'
import { throwawayKey } from '../tokens/keys.ts'
import { fail, type Command, type ExitCode, type Io, type WrongUsage } from './command.ts'
import { openCluster, type Cluster } from './cluster.ts'

export const KEYS_SECRET: Command = {
  async run (_options, env, io, [name]) {
    return await runKeysSecret(name as string, async () => await openCluster(env), io)
  }
}

/** What a Secret with keys has in it. */
const NAMES = ['token.pem', 'upstream.pem', 'upstream.pub.pem']
/** RFC 1123, as Kubernetes has it for the names of objects; nothing else may come into a path. */
const NAME_FORM = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/
const RIGHTS = 'the service account needs get, create and patch for this Secret'

interface SecretObject { readonly data?: Readonly<Record<string, string>> }

/**
 * @param open the way to the cluster's API
 * @returns 0 when the Secret has its keys, whoever made them
 */
export async function runKeysSecret (
  name: string,
  open: () => Promise<Cluster>,
  io: Io
): Promise<ExitCode | WrongUsage> {
  if (!NAME_FORM.test(name)) return { wrong: [`${JSON.stringify(name)} is no name of a Secret`] }
  return await open()
    .then(async cluster => await make(cluster, name, io).finally(cluster.close))
    .catch((error: Error) => fail(io, error.message))
}

async function make (cluster: Cluster, name: string, io: Io): Promise<ExitCode> {
  const path = `/api/v1/namespaces/${cluster.namespace}/secrets/${name}`
  const found = await cluster.ask('GET', path)
  if (found.status !== 200 && found.status !== 404) {
    return fail(io, `the Secret ${name} cannot be read (${found.status}): ${RIGHTS}`)
  }
  const { data = {} } = found.status === 200 ? JSON.parse(found.text) as SecretObject : {}
  const missing = NAMES.filter(key => data[key] === undefined)
  if (missing.length === 0) {
    io.stdout(`the Secret ${name} has its keys: nothing is made\n`)
    return 0
  }
  if (missing.length < NAMES.length) {
    return fail(io, `the Secret ${name} lacks ${missing.join(', ')}, and what is there is not changed: ` +
      'add what is missing (docs/kubernetes.md), or remove all of it')
  }
  // A manager of its own: whoever comes a moment later with other keys has a conflict.
  const manager = `chartgate-keys-${randomBytes(6).toString('hex')}`
  const made = await cluster.ask('PATCH', `${path}?fieldManager=${manager}&fieldValidation=Strict`, JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, labels: { 'app.kubernetes.io/name': 'chartgate', 'app.kubernetes.io/component': 'keys' } },
    type: 'Opaque',
    data: await newKeys()
  }))
  switch (made.status) {
    case 200:
    case 201:
      io.stdout(`the Secret ${name} has new keys: ${NAMES.join(', ')}\n`)
      return 0
    case 409:
      io.stdout(`the Secret ${name} was given keys by somebody else meanwhile: these stay\n`)
      return 0
    default:
      return fail(io, `the Secret ${name} cannot be written (${made.status}): ${RIGHTS}`)
  }
}

/** In base64, as the data of a Secret is. */
async function newKeys (): Promise<Record<string, string>> {
  const [token, upstream] = await Promise.all([throwawayKey(), throwawayKey()])
  const pems = [
    token.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    upstream.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    upstream.publicKey.export({ type: 'spki', format: 'pem' })
  ]
  return Object.fromEntries(NAMES.map((name, i) => [name, Buffer.from(pems[i] as string).toString('base64')]))
}
