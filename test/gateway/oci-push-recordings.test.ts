// What Helm 3, Helm 4 and oras sent to a registry to push, sent again to the gateway: it is
// answered with the same statuses, and the chart is there as the same manifest.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { dataUrl } from '../helpers/data.ts'
import { askOci, digestOfBytes, placeOf } from '../helpers/oci.ts'
import { overEachRepository } from '../helpers/repositories.ts'
import { fixture } from '../repository/recordings.ts'
import type { Action } from '../../src/words/access.ts'

interface Exchange {
  readonly method: string
  readonly target: string
  readonly headers: readonly string[]
  readonly body?: string
  readonly bodySha256?: string
  readonly status: number
}

const RECORDED = JSON.parse(readFileSync(dataUrl('clients/oci-pushes.json'), 'utf8')) as { readonly scenarios: readonly string[], readonly exchanges: readonly Exchange[] }[]
const ARCHIVES = new Map(['upload/mychart-0.2.0.tgz', 'upload-signed/mychart-0.2.0.tgz'].map(name => [digestOfBytes(fixture(name)), fixture(name)]))

/** Of a file that was packed at another time the manifest was not recorded, its digest was. */
const REPUSHED = { digest: 'sha256:f75b330fb854a69546a5d0ca197f57fcaa1b7529551c13f45a4098f5499a134d', created: ['2026-01-02T03:04:05Z', '2026-01-02T03:04:06Z'] } as const

function repushed (exchange: Exchange, body: string): Exchange {
  const other = body.replace(...REPUSHED.created)
  return { ...exchange, target: exchange.target.replace(REPUSHED.digest, digestOfBytes(Buffer.from(other))), ...(exchange.body === body ? { body: other } : {}) }
}

/** Where the gateway answers otherwise than that registry did, and why. */
const OTHERWISE: readonly { readonly when: (scenario: string, exchange: Exchange) => boolean, readonly status: number, readonly because: string }[] = [
  { when: (_, { status }) => status === 403, status: 401, because: 'a token without the right is asked for a better one' },
  { when: (_, { method, target, status }) => method === 'HEAD' && target.endsWith('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a') && status === 404, status: 200, because: 'the empty config is known everywhere' }
]

await overEachRepository(t, { allowOverwrite: true }, async (t, { gateway, ask }) => {
  async function credential (recorded: string): Promise<string> {
    if (recorded.startsWith('{BASIC')) return `Basic ${Buffer.from(`any:${gateway.masterKey}`).toString('base64')}`
    const grants = [...recorded.matchAll(/repository:([a-z0-9/]+):([a-z,]+)/g)].map(([, name, actions]) => ({ type: 'repository', name: name as string, actions: (actions as string).split(',') as Action[] }) as const)
    return `Bearer ${await gateway.token(grants, 'key:master')}`
  }

  for (const { scenarios, exchanges } of RECORDED) {
    const scenario = scenarios[0] as string
    await t.test(scenario, async t => {
      // What is pushed again was pushed by the scenario before.
      if (!scenario.includes('repush-same')) await ask('DELETE', '/api/org1/repo1/charts/mychart/0.2.0')
      const places: string[] = []
      let last: { digest: string, reference: string } | undefined
      const manifest = exchanges.findLast(({ body }) => body !== undefined)?.body ?? ''
      for (const recorded of exchanges) {
        const exchange = scenario.includes('repush-same') ? repushed(recorded, manifest) : recorded
        const { method, target, headers, body, bodySha256, status } = exchange
        const sent = Object.fromEntries(headers.map(line => line.split(': ', 2) as [string, string]))
        const bytes = bodySha256 === undefined ? body : ARCHIVES.get(`sha256:${bodySha256}`)
        const path = /\/blobs\/uploads\/.+/.test(target) ? `${places.shift() as string}&${/digest=.*/.exec(target)?.[0] as string}` : target.slice('/v2/'.length)
        const answer = await askOci(gateway.url, path, sent['Authorization'] === undefined ? undefined : await credential(sent['Authorization']), { method, ...(sent['Content-Type'] === undefined ? {} : { headers: { 'content-type': sent['Content-Type'] } }), ...(bytes === undefined ? {} : { body: bytes }) })
        const other = OTHERWISE.find(({ when }) => when(scenario, exchange))
        t.equal(answer.status, other?.status ?? status, `${method} ${target}${other === undefined ? '' : `: ${other.because}`}`)
        if (answer.status === 202) places.push(placeOf(answer))
        const [, reference] = /\/manifests\/([^:]+)$/.exec(target) ?? []
        if (method === 'PUT' && reference !== undefined && body !== undefined) last = { digest: digestOfBytes(Buffer.from(body)), reference }
      }
      if (last === undefined) {
        t.match(scenario, /read-only/)
        return
      }
      const { status, headers } = await askOci(gateway.url, `org1/repo1/mychart/manifests/${last.digest}`, await credential('{BASIC'))
      t.equal(status, 200, 'it is had under its digest')
      t.equal(headers['docker-content-digest'], last.digest)
    })
  }
})
