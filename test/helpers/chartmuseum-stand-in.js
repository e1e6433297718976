// What is started as `chartmuseum` where there is none: the embedded repository behind
// Basic, or with the key of --auth-cert-path, for the options that docs/migrate.md has.
import { spawn } from 'node:child_process'
import { createServer, request } from 'node:http'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

const [cli, ...argv] = process.argv.slice(2)
const text = { type: 'string' }
const { values } = parseArgs({
  args: argv,
  options: {
    port: text,
    depth: text,
    storage: text,
    'listen-host': text,
    'storage-local-rootdir': text,
    'bearer-auth': { type: 'boolean' },
    'auth-realm': text,
    'auth-service': text,
    'auth-cert-path': text
  }
})
const { BASIC_AUTH_USER: user, BASIC_AUTH_PASS: password } = process.env
const wanted = user === undefined ? undefined : `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

// The repository behind says in its first line which free port it has.
let behind
const key = values['auth-cert-path']
const repository = spawn(process.execPath, [
  cli, 'repository', '--dir', values['storage-local-rootdir'], '--port', '0', '--depth', values.depth,
  ...(key === undefined ? [] : ['--public-key', key])
], { stdio: ['inherit', 'pipe', 'inherit'], env: { PATH: process.env.PATH } })
createInterface({ input: repository.stdout }).on('line', line => {
  behind ??= JSON.parse(line).port
  console.log(line)
})
process.once('SIGTERM', () => {
  repository.once('exit', () => process.exit(0))
  repository.kill()
})

createServer((asked, answer) => {
  if (wanted !== undefined && asked.url !== '/health' && asked.headers.authorization !== wanted) {
    asked.resume()
    answer.writeHead(401, { 'www-authenticate': 'Basic realm="ChartMuseum"', 'content-type': 'application/json' }).end('{"error":"unauthorized"}')
    return
  }
  if (behind === undefined) {
    answer.destroy() // it has not begun
    return
  }
  const on = request({ port: behind, host: '127.0.0.1', method: asked.method, path: asked.url, headers: asked.headers }, from => {
    answer.writeHead(from.statusCode, from.rawHeaders)
    from.pipe(answer)
  })
  // it has ended
  on.once('error', () => { answer.destroy() })
  asked.pipe(on)
}).listen(Number(values.port), values['listen-host'])
