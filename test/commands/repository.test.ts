// The `repository` command: what it refuses in one line each, and a real process that is
// pushed to, listed and stopped.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { command, type CommandResult } from '../helpers/commands.ts'
import { testFolder } from '../helpers/folder.ts'
import { chartOf } from '../helpers/packages.ts'
import { ROOT } from '../helpers/processes.ts'

async function run (...argv: string[]): Promise<CommandResult> {
  return await command(['repository', ...argv], { CHARTGATE_CONFIG: '/nowhere' })
}

function pem (key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }) as string
}

await t.test('wrong usage is a line for each mistake, and the usage', async t => {
  const fine = ['--dir', 'x', '--port', '0', '--depth', '2']
  const cases: [string, string[], RegExp][] = [
    ['nothing', [], /^chartgate: repository needs --dir\nchartgate: repository needs --port\nchartgate: repository needs --depth\nSee: chartgate repository --help\n/],
    ['no folder', ['--port', '0', '--depth', '2'], /^chartgate: repository needs --dir\nSee: chartgate repository --help\n/],
    ['an empty folder name', ['--dir', '', '--port', '0', '--depth', '2'], /^chartgate: repository needs --dir\nSee: chartgate repository --help\n/],
    ['ports that are none', ['--dir', 'x', '--port', '70000', '--depth', '2'], /^chartgate: --port "70000" is not a port number from 0 to 65535\nSee: chartgate repository --help\n/],
    ['a port and a depth in words', ['--dir', 'x', '--port', 'http', '--depth', 'two'], /^chartgate: --port "http" .*\nchartgate: --depth "two" is not a whole number from 0 to 10, or dynamic\nSee: chartgate repository --help\n/],
    ['a depth that is too deep', ['--dir', 'x', '--port', '0', '--depth', '11'], /^chartgate: --depth "11" .*\nSee: chartgate repository --help\n/],
    ['a configuration', [...fine, '--config', 'x'], /^chartgate: repository takes no --config\nSee: chartgate repository --help\n/],
    ['an option without its value', ['--dir'], /^chartgate: .*--dir.*\n/],
    ['an unknown option', [...fine, '--host', 'x'], /^chartgate: .*--host.*\n/]
  ]
  for (const [name, argv, err] of cases) t.match(await run(...argv), { code: 2, out: '', err }, name)
})

await t.test('what hinders it is one line and exit code 1', async t => {
  const { publicKey: small } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const { publicKey: curve } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const dir = testFolder(t, { file: '', text: 'hello', small: pem(small), curve: pem(curve), good: pem(publicKey), private: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string })
  const taken = createServer()
  await new Promise<void>(resolve => { taken.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { taken.close() })
  const { port } = taken.address() as AddressInfo
  const fine = ['--dir', join(dir, 'charts'), '--port', '0', '--depth', '2']
  const cases: [string, string[], RegExp][] = [
    ['a key that is not there', [...fine, '--public-key', join(dir, 'none')], /^chartgate: --public-key \S+none cannot be read \(ENOENT\)\n$/],
    ['a folder for a key', [...fine, '--public-key', dir], /^chartgate: --public-key \S+ cannot be read \(EISDIR\)\n$/],
    ['an empty name of a key', [...fine, '--public-key', ''], /^chartgate: --public-key {2}cannot be read \(ENOENT\)\n$/],
    ['a text for a key', [...fine, '--public-key', join(dir, 'text')], /^chartgate: --public-key \S+text is not a public key or certificate in PEM\n$/],
    ['a small key', [...fine, '--public-key', join(dir, 'small')], /^chartgate: --public-key \S+small is not an RSA key of at least 2048 bits: .*\n$/],
    ['a key of another kind', [...fine, '--public-key', join(dir, 'curve')], /^chartgate: --public-key \S+curve is not an RSA key .*\n$/],
    ['a private key', [...fine, '--public-key', join(dir, 'private')], /^chartgate: --public-key \S+private is a private key: .*\n$/],
    ['a port in use', ['--dir', join(dir, 'charts'), '--port', String(port), '--depth', 'dynamic'], new RegExp(`^chartgate: port ${port} is in use by another program: .*--port\n$`)],
    ['a folder below a file', ['--dir', join(dir, 'file', 'x'), '--port', '0', '--depth', '0'], /^chartgate: the chart folder \S+ cannot be used: [^\n]+\n$/],
    ['a folder below a file, with a good key', ['--dir', join(dir, 'file', 'x'), '--port', '0', '--depth', '0', '--public-key', join(dir, 'good')], /^chartgate: the chart folder /]
  ]
  for (const [name, argv, err] of cases) t.match(await run(...argv), { code: 1, out: '', err }, name)
  t.notOk((await readdir(dir)).includes('charts'), 'and nothing was made')
})

await t.test('the built program stores a chart, lists it, ends what runs on SIGTERM, and has it after a start', async t => {
  const dir = join(testFolder(t), 'charts')
  const first = await startBuilt(t, dir)
  const saved = await fetch(`${first.url}/api/org1/repo1/charts`, { method: 'POST', body: await chartOf('mychart', '0.1.0') })
  t.strictSame([saved.status, await saved.text()], [201, '{"saved":true}'])
  t.match(await (await fetch(`${first.url}/org1/repo1/index.yaml`)).text(), 'mychart-0.1.0.tgz')

  const chart = await chartOf('mychart', '0.2.0')
  let rest: (() => void) | undefined
  const slow = fetch(`${first.url}/api/org1/repo1/charts`, {
    method: 'POST',
    duplex: 'half',
    body: new ReadableStream({
      start (controller) {
        controller.enqueue(chart.subarray(0, 20))
        rest = () => { controller.enqueue(chart.subarray(20)); controller.close() }
      }
    })
  } as RequestInit)
  await drafts(dir)
  first.child.kill('SIGTERM')
  await refusesConnections(first.url)
  rest?.()
  t.equal((await slow).status, 201, 'an upload that ran is let end')
  t.same(await first.ended, [0, null])
  const lines = first.stdout().trim().split('\n')
  t.match(lines.map(line => JSON.parse(line) as object), [{ event: 'listening', depth: 2, dir: /charts$/, checksTokens: false }, { event: 'saved', tenant: 'org1/repo1', file: 'mychart-0.1.0.tgz' }, { event: 'saved', file: 'mychart-0.2.0.tgz' }])

  const second = await startBuilt(t, dir)
  t.match(await (await fetch(`${second.url}/org1/repo1/index.yaml`)).text(), 'mychart-0.2.0.tgz')
  second.child.kill('SIGINT')
  t.same(await second.ended, [0, null])
})

interface Built {
  readonly url: string
  readonly child: ReturnType<typeof spawn>
  readonly stdout: () => string
  /** Code and signal. */
  readonly ended: Promise<unknown[]>
}

/** `chartgate repository` on a port of its choice. */
async function startBuilt (t: { teardown (fn: () => unknown): unknown }, dir: string): Promise<Built> {
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, ['dist/src/cli.js', 'repository', '--dir', dir, '--port', '0', '--depth', '2'], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => { child.kill('SIGKILL') })
  let text = ''
  const ended = once(child, 'close')
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  while (!text.includes('\n')) await once(child.stdout, 'data')
  const { port } = JSON.parse(text) as { port: number }
  return { url: `http://127.0.0.1:${port}`, child, stdout: () => text, ended }
}

/** Waits until the first bytes of an upload have come. */
async function drafts (dir: string): Promise<void> {
  while ((await readdir(join(dir, '.chartgate/tmp'))).length === 0) await pause()
}

async function refusesConnections (url: string): Promise<void> {
  while (await fetch(`${url}/health`).then(answer => answer.ok, () => false)) await pause()
}

async function pause (): Promise<void> {
  await new Promise(resolve => { setTimeout(resolve, 20) })
}
