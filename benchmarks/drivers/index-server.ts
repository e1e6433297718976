// A chart repository that has an index of any size for any tenant: `org1/v400` has 400
// versions, in ChartMuseum's form. So a large one costs no files.
import { createServer } from 'node:http'
import { readTask } from './task.ts'

const VERSIONS_OF_ONE = 200
const made = new Map<number, Buffer>()

function indexOf (versions: number): Buffer {
  const lines = ['apiVersion: v1', 'entries:']
  for (let i = 0; i < versions; i++) {
    const [name, version] = [`chart${Math.floor(i / VERSIONS_OF_ONE)}`, `1.${i % VERSIONS_OF_ONE}.0`]
    if (i % VERSIONS_OF_ONE === 0) lines.push(`  ${name}:`)
    const digest = (i + 1).toString(16).padStart(8, '0').repeat(8)
    lines.push(
      '  - apiVersion: v2', '    appVersion: 1.16.0', '    created: "2024-01-01T00:00:00Z"', '    description: A Helm chart for Kubernetes, made for benchmarking only', `    digest: ${digest}`,
      '    icon: https://charts.example.test/icon.svg', '    keywords:', '    - web', '    maintainers:', '    - email: ops@example.test', '      name: ops',
      `    name: ${name}`, '    type: application', '    urls:', `    - charts/${name}-${version}.tgz`, `    version: ${version}`
    )
  }
  return Buffer.from(`${lines.join('\n')}\ngenerated: "2024-01-01T00:00:00Z"\nserverInfo: {}\n`)
}

const { port } = readTask<{ port: number }>()
createServer((request, response) => {
  const versions = Number(/^\/org1\/v(\d+)\/index\.yaml$/.exec(request.url as string)?.[1] ?? 1)
  let index = made.get(versions)
  if (index === undefined) made.set(versions, index = indexOf(versions))
  response.writeHead(200, { 'content-type': 'application/x-yaml', 'content-length': index.length }).end(index)
}).listen(port, '127.0.0.1')
