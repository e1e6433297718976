// Uploads charts for some seconds, on as many connections as there are charts, each one
// again and again: pushed, which is timed, and deleted, which is not. By the API, or as Helm
// pushes to a registry.
import { Agent, request, type IncomingHttpHeaders } from 'node:http'
import { readFileSync } from 'node:fs'
import { MANIFEST_TYPE, manifestIn, pushOf } from '../../test/helpers/oci.ts'
import { readTask, report } from './task.ts'

interface UploadTask {
  readonly origin: string
  readonly tenant: string
  readonly door: 'classic' | 'oci'
  /** A file with the Authorization header; empty: none. */
  readonly authorizationFile: string
  readonly charts: ReadonlyArray<{ readonly file: string, readonly name: string, readonly version: string }>
  readonly seconds: number
}

const { origin, tenant, door, authorizationFile, charts, seconds } = readTask<UploadTask>()
const authorization = readFileSync(authorizationFile, 'utf8')
const agent = new Agent({ keepAlive: true })

const BYTES = { 'content-type': 'application/octet-stream' }
const NOTHING = Buffer.alloc(0)

interface Answered { readonly status: number, readonly headers: IncomingHttpHeaders, readonly text: string }

async function call (method: string, path: string, body?: Buffer, more: Readonly<Record<string, string>> = {}): Promise<Answered> {
  const headers = { ...more, ...(authorization === '' ? {} : { authorization }), ...(body === undefined ? {} : { 'content-length': body.length }) }
  return await new Promise((resolve, reject) => {
    request(origin + path, { method, agent, headers }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk }).on('error', reject)
        .on('end', () => { resolve({ status: response.statusCode as number, headers: response.headers, text }) })
    }).on('error', reject).end(body)
  })
}

function expect (status: number, what: string, answer: Answered): void {
  if (answer.status !== status) throw new Error(`${what} is answered with ${answer.status}: ${answer.text.slice(0, 200)}`)
}

/** A push of a chart, to be made again and again; what a client hashes for it is hashed before. */
function pushing ({ file, name, version }: UploadTask['charts'][number]): () => Promise<void> {
  const chart = readFileSync(file)
  if (door === 'classic') {
    return async () => { expect(201, 'POST of a chart', await call('POST', `/api/${tenant}/charts`, chart, BYTES)) }
  }
  const { manifest, digest, blobs } = pushOf(name, version, { chart })
  const { config, layers } = manifestIn({ bytes: manifest })
  const digests = [config, ...layers].map(described => described.digest)
  const repository = `/v2/${tenant}/${name}`
  const put = async (reference: string): Promise<void> => {
    expect(201, 'PUT of a manifest', await call('PUT', `${repository}/manifests/${reference}`, manifest, { 'content-type': MANIFEST_TYPE }))
  }
  return async () => {
    expect(404, 'HEAD of a manifest', await call('HEAD', `${repository}/manifests/${digest}`))
    for (const [i, bytes] of blobs.entries()) {
      const wanted = digests[i] as string
      expect(404, 'HEAD of a blob', await call('HEAD', `${repository}/blobs/${wanted}`))
      const begun = await call('POST', `${repository}/blobs/uploads/`, NOTHING)
      expect(202, 'POST of an upload', begun)
      expect(201, 'PUT of a blob', await call('PUT', `${begun.headers.location as string}&digest=${wanted}`, bytes, BYTES))
    }
    await put(digest)
    expect(200, 'GET of a manifest', await call('GET', `${repository}/manifests/${digest}`))
    await put(version)
  }
}

/** The mean milliseconds of its pushes, and how many there were. */
async function repeat (chart: UploadTask['charts'][number]): Promise<{ mean: number, count: number }> {
  const push = pushing(chart)
  const end = performance.now() + seconds * 1000
  let [spent, count] = [0, 0]
  while (count === 0 || performance.now() < end) {
    const from = performance.now()
    await push()
    spent += performance.now() - from
    count++
    const path = `/api/${tenant}/charts/${chart.name}/${chart.version}`
    expect(200, `DELETE ${path}`, await call('DELETE', path))
  }
  return { mean: spent / count, count }
}

const all = await Promise.all(charts.map(repeat))
agent.destroy()
report({
  count: all.reduce((sum, { count }) => sum + count, 0),
  // With so many under way, one is done every mean / number milliseconds.
  rate: all.reduce((sum, { mean }) => sum + 1000 / mean, 0)
})
