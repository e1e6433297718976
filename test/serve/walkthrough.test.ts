// The walkthrough of the README against the built program, as a new user starts it.
import { cp, mkdir, readFile, symlink } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import t from 'tap'
import { walkthrough, walkthroughSteps } from '../../src/serve/walkthrough.ts'
import { DEMO, serveFile } from '../helpers/gateway.ts'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { helmVersions } from '../helpers/helm.ts'
import { notTried } from '../helpers/not-tried.ts'
import { findProgram, freePorts, ROOT, run, startProcess, temporaryFolder } from '../helpers/processes.ts'
import { until } from '../helpers/until.ts'
import { walkThrough } from '../helpers/walkthrough.ts'

t.setTimeout(BUILD_LIMIT)

await t.test('the demo does what the README says', async t => {
  await walkThrough(t, await serveFile(t, { file: DEMO }))
})

/** What people paste: everything that is indented. */
function pasted (printed: string): string {
  return printed.split('\n').filter(line => line.startsWith('  ')).join('\n')
}

await t.test('what the demo prints when it listens can be pasted as it is, and once more', async t => {
  const gateway = await serveFile(t, { file: DEMO })
  await until(() => gateway.stdout().includes('\n') ? true : undefined)
  const lines = gateway.stdout().trim().split('\n').map(line => JSON.parse(line) as object)
  t.match(lines, [{ level: 'info', address: /^127\.0\.0\.1:\d+$/, publicUrl: gateway.url, probes: /^127\.0\.0\.1:\d+$/, stateDir: gateway.stateDir, msg: /^chartgate listens; configuration file \S+chartgate\.demo\.yaml$/ }])
  t.equal(lines.length, 1, 'to a program it is a line of the log, and no text')
  const printed = walkthrough(gateway.url, { address: '127.0.0.1:1', local: true })
  const folder = await temporaryFolder(t)
  await cp(join(ROOT, 'examples'), join(folder, 'examples'), { recursive: true })
  const withoutHelm = pasted(printed).replace(/^ *helm .*$/gm, '')
  const before = await run('git', ['status', '--short', 'examples'])

  const first = await run('bash', ['-e', '-o', 'pipefail', '-c', withoutHelm], { cwd: folder, env: { HOME: folder } })
  t.equal(first.code, 0, 'every command succeeds', { stderr: first.stderr })
  const answers = [
    /^HTTP\/1\.1 401 /, /\n{"error":"unauthorized"}\n/, '"access":[{"type":"artifact-repository","name":"org1/repo1","actions":["pull"]}]', /^ +version: 0\.1\.0$/m,
    /\n{"saved":true}\n{"saved":true}\nHTTP\/1\.1 401 /, 'error="insufficient_scope"', /{"error":"unauthorized"}\n$/
  ]
  for (const answer of answers) t.match(first.stdout, answer)
  t.equal((await run('git', ['status', '--short', 'examples'])).stdout, before.stdout, 'no file of the project is touched')

  const helms = await helmVersions()
  if (!helms.ok) await notTried(t, 'step 6 with real Helm', helms.reason)
  else {
    for (const { name, path } of helms.versions) {
      const bin = join(folder, name)
      await mkdir(bin)
      await symlink(path, join(bin, 'helm'))
      const again = await run('bash', ['-e', '-o', 'pipefail', '-c', pasted(printed)], { cwd: folder, env: { HOME: folder, PATH: `${bin}${delimiter}${process.env['PATH']}` } })
      t.equal(again.code, 0, `every command succeeds with ${name}, again`, { stderr: again.stderr })
      // Identical when tar packed it within the same second.
      t.match(again.stdout, /\n({"error":"(file already exists|already stored, identical)"}\n){2}/)
      t.match(again.stdout, /kind: ConfigMap/)
    }
  }
})

await t.test('at a terminal it says in text where it listens, and what to try', async t => {
  if (await findProgram('script') === undefined) return await notTried(t, 'a terminal', 'no script on the PATH')
  const [folder, [port, adminPort]] = [await temporaryFolder(t), await freePorts(2)]
  const url = `http://localhost:${port}`
  const pidFile = join(folder, 'pid')
  const program = `echo $$ > '${pidFile}'; exec '${process.execPath}' dist/src/cli.js serve --config ${DEMO}`
  const env = { SHELL: '/bin/sh', CHARTGATE_LISTEN_PORT: String(port), CHARTGATE_ADMIN_PORT: String(adminPort), CHARTGATE_STATE_DIR: join(folder, 'state') }
  t.teardown(async () => { process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGTERM') })
  const terminal = await startProcess(t, 'script', ['-qfec', program, '/dev/null'], { env, readyUrl: `http://localhost:${adminPort}/readyz` })
  const printed = await until(() => terminal.stdout().includes('Stop with Ctrl-C.') ? terminal.stdout().replaceAll('\r\n', '\n') : undefined)
  t.match(printed, new RegExp(`^chartgate listens on 127\\.0\\.0\\.1:${port} as ${url}, for probes on 127\\.0\\.0\\.1:${adminPort}; configuration file \\S+chartgate\\.demo\\.yaml; its data lies in ${folder}/state\\n`))
  t.equal(printed.slice(printed.indexOf('\n') + 1), walkthrough(url, { address: `127.0.0.1:${port}`, local: true }))
})

await t.test('the README shows the commands that are printed', async t => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const [section = ''] = /### The walkthrough\n.*?(?=\n### )/s.exec(readme) ?? []
  const shown = [...section.matchAll(/^```sh runnable\n(.*?)\n```$/gms)].map(([, block]) => block)
  t.strictSame(shown, walkthroughSteps('http://localhost:5001').map(({ commands }) => commands.join('\n')))
})

await t.test('it speaks of this gateway alone, in lines that any shell takes', t => {
  const url = 'https://charts.example.test/helm'
  const text = walkthrough(url, { address: '0.0.0.0:7001', local: false })
  t.strictSame([...new Set(text.match(/https?:\/\/[^\s";]+?(?=\/org1|\/oauth|\/api|: )/g))], [url])
  t.notMatch(text, /undefined|localhost|^ *[#$] /m)
  t.end()
})

await t.test('who can reach the demo is said as it is', t => {
  t.match(walkthrough('http://localhost:5001', { address: '127.0.0.1:5001', local: true }), /every right: that is why only this machine can ask \(127\.0\.0\.1:5001\)\.\nStop/)
  const open = walkthrough('https://charts.example.test', { address: '0.0.0.0:5001', local: false })
  t.match(open, /every right\.\nThis process listens on 0\.0\.0\.0:5001 as https:\/\/charts\.example\.test: see that nobody else can reach it, or set another masterKey\.\nStop/)
  t.notMatch(open, 'only this machine')
  t.end()
})
