// Keys made in a Secret, in front of a server that is one of Kubernetes as far as that goes.
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openCluster } from '../../src/commands/cluster.ts'
import { runKeysSecret } from '../../src/commands/keys-secret.ts'
import { startApiServer, type ApiServer } from '../helpers/api-server.ts'
import { command, type CommandResult } from '../helpers/commands.ts'
import { freePorts } from '../helpers/processes.ts'

const NAME = 'chartgate-keys'
const PATH = `/api/v1/namespaces/charts/secrets/${NAME}`

async function make ({ env, folder }: Pick<ApiServer, 'env' | 'folder'>, name = NAME): Promise<CommandResult> {
  let [out, err] = ['', '']
  const io = { stdout: (text: string) => { out += text }, stderr: (text: string) => { err += text }, readSecret: async () => ({ ok: true, secret: '' } as const) }
  const code = await runKeysSecret(name, async () => await openCluster(env, folder), io)
  return { code: code as number, out, err }
}

const text = (server: ApiServer, key: string): string => Buffer.from(server.secrets.get(NAME)?.[key] ?? '', 'base64').toString()

await t.test('a first run makes two keys and the public half for ChartMuseum, under a right for that name alone', async t => {
  const server = await startApiServer(t, NAME)
  t.strictSame(await make(server), { code: 0, out: `the Secret ${NAME} has new keys: token.pem, upstream.pem, upstream.pub.pem\n`, err: '' })
  t.strictSame(server.asked, [`GET ${PATH}`, `PATCH ${PATH}`], 'no list, and no create without a name')
  const [token, upstream] = ['token.pem', 'upstream.pem'].map(key => createPrivateKey(text(server, key)))
  t.match([token?.asymmetricKeyDetails, upstream?.asymmetricKeyDetails], [{ modulusLength: 2048 }, { modulusLength: 2048 }])
  t.not(text(server, 'token.pem'), text(server, 'upstream.pem'))
  t.equal(text(server, 'upstream.pub.pem'), createPublicKey(text(server, 'upstream.pem')).export({ type: 'spki', format: 'pem' }))
})

await t.test('every later run leaves them as they are', async t => {
  const server = await startApiServer(t, NAME)
  await make(server)
  const before = server.secrets.get(NAME)
  for (let i = 0; i < 2; i++) t.strictSame(await make(server), { code: 0, out: `the Secret ${NAME} has its keys: nothing is made\n`, err: '' })
  t.strictSame(server.secrets.get(NAME), before)
})

await t.test('of two at once one makes the keys, and the other leaves them', async t => {
  const server = await startApiServer(t, NAME)
  const other = { 'token.pem': 'b25l', 'upstream.pem': 'dHdv', 'upstream.pub.pem': 'dGhyZWU=' }
  server.beforeApply = () => { server.secrets.set(NAME, other) }
  t.strictSame(await make(server), { code: 0, out: `the Secret ${NAME} was given keys by somebody else meanwhile: these stay\n`, err: '' })
  t.strictSame(server.secrets.get(NAME), other)
})

await t.test('a Secret that is empty, or has other things in it, is given keys beside them', async t => {
  const server = await startApiServer(t, NAME)
  server.secrets.set(NAME, {})
  t.match(await make(server), { code: 0, out: /has new keys/ })
  server.secrets.set(NAME, { note: 'aGVsbG8=' })
  t.match(await make(server), { code: 0, out: /has new keys/ })
  t.same(Object.keys(server.secrets.get(NAME) as object).sort(), ['note', 'token.pem', 'upstream.pem', 'upstream.pub.pem'])
})

await t.test('half of the keys is a mistake that somebody has to put right', async t => {
  const server = await startApiServer(t, NAME)
  server.secrets.set(NAME, { 'token.pem': 'b25l' })
  t.strictSame(await make(server), { code: 1, out: '', err: `chartgate: the Secret ${NAME} lacks upstream.pem, upstream.pub.pem, and what is there is not changed: add what is missing (docs/kubernetes.md), or remove all of it\n` })
  t.strictSame(server.secrets.get(NAME), { 'token.pem': 'b25l' })
})

await t.test('what the service account may not do is said with what it needs', async t => {
  const cases: [rights: string[], sentence: RegExp][] = [
    [[], /cannot be read \(403\): the service account needs get, create and patch for this Secret/],
    [['get'], /cannot be written \(403\): the service account needs get, create and patch/],
    [['get', 'patch'], /cannot be written \(403\)/]
  ]
  for (const [rights, sentence] of cases) t.match(await make(await startApiServer(t, NAME, rights)), { code: 1, out: '', err: sentence })
  t.match(await make(await startApiServer(t, 'another')), { code: 1, err: /cannot be read \(403\)/ }, 'a right for another name is none')
})

await t.test('only a server with a certificate of the cluster is told the token', async t => {
  const [here, there] = [await startApiServer(t, NAME), await startApiServer(t, NAME)]
  t.match(await make({ env: there.env, folder: here.folder }), { code: 1, err: /^chartgate: the API server at https:\/\/127\.0\.0\.1:\d+ does not answer: / })
  t.strictSame(there.asked, [])
  const [port] = await freePorts(1)
  const nobody = { KUBERNETES_SERVICE_HOST: '::1', KUBERNETES_SERVICE_PORT: String(port) }
  t.match(await make({ env: nobody, folder: here.folder }), { code: 1, err: `the API server at https://[::1]:${port} does not answer` })
})

await t.test('outside of a pod, or in one without a token, it says so', async t => {
  const outside = { code: 1, out: '', err: /^chartgate: this is no pod of Kubernetes: / }
  t.match(await command(['keys', 'secret', NAME]), outside)
  t.match(await command(['keys', 'secret', NAME], { KUBERNETES_SERVICE_HOST: '127.0.0.1' }), outside)
  const server = await startApiServer(t, NAME)
  await rm(join(server.folder, 'token'))
  t.match(await make(server), { code: 1, err: /serviceaccount\/token cannot be read \(ENOENT\): the pod needs automountServiceAccountToken: true\n$/ })
})

await t.test('a name that would lead elsewhere is wrong usage', async t => {
  for (const name of ['../pods', 'a/b', 'A', '', 'a?b', `${'a'.repeat(254)}`]) {
    t.match(await command(['keys', 'secret', name]), { code: 2, err: /is no name of a Secret\n/ }, JSON.stringify(name))
  }
})
