// What Helm 3, Helm 4 and oras sent to a registry to pull, sent again to the gateway: the same
// charts, pushed by the API, are answered with the same statuses, blobs and manifests.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { dataUrl } from '../helpers/data.ts'
import { askOci, type OciAnswer } from '../helpers/oci.ts'
import { formOf } from '../helpers/packages.ts'
import { overEachRepository } from '../helpers/repositories.ts'
import { fixture } from '../repository/recordings.ts'
import type { Action } from '../../src/words/access.ts'

interface Recorded {
  readonly scenarios: readonly string[]
  readonly signed?: true
  readonly request: { readonly method: string, readonly target: string, readonly headers: readonly string[] }
  readonly response: { readonly status: number, readonly body?: string, readonly bodyLength?: number, readonly bodySha256?: string }
}

const RECORDED = JSON.parse(readFileSync(dataUrl('clients/oci-pulls.json'), 'utf8')) as Recorded[]
/** What oras writes as the config of what has none. */
const EMPTY_CONFIG = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
const ACCEPT = 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, application/vnd.oci.artifact.manifest.v1+json'

/** Where the gateway answers otherwise than that registry did, and why. */
const OTHERWISE: readonly { readonly when: (recorded: Recorded) => boolean, readonly status: number, readonly because: string }[] = [
  { when: ({ response }) => response.status === 403, status: 200, because: 'that registry refused a good token to see what clients make of it' },
  { when: ({ request: { target }, response: { status } }) => /\/manifests\/sha256:/.test(target) && status === 200, status: 404, because: 'the digest is of a manifest that was pushed, and none was here' },
  { when: ({ request: { target }, response: { status } }) => target.includes('/referrers/') && status === 404, status: 200, because: 'that registry had no list of referrers' },
  { when: ({ request: { target } }) => target === '/v2/_catalog', status: 405, because: 'whoever asks: repositories are not listed' }
]

await overEachRepository(t, { allowOverwrite: true }, async (t, { gateway, ask }) => {
  const pair = formOf([{ field: 'chart', body: fixture('upload-signed/mychart-0.2.0.tgz'), filename: 'c' }, { field: 'prov', body: fixture('upload-signed/mychart-0.2.0.tgz.prov'), filename: 'p' }])

  /** The recorded request, with a credential of the gateway that is worth the same. */
  async function again ({ request: { method, target, headers } }: Recorded): Promise<OciAnswer> {
    const passed = new Map(headers.map(line => line.split(': ', 2) as [string, string]).filter(([name]) => name !== 'Host' && name !== 'Authorization'))
    if (passed.has('Accept')) passed.set('Accept', (passed.get('Accept') as string).replace('{OCI-MANIFEST-ACCEPT}', ACCEPT))
    const authorization = headers.find(line => line.startsWith('Authorization: '))?.slice('Authorization: '.length)
    return await askOci(gateway.url, target.slice('/v2/'.length), authorization === undefined ? undefined : await credential(authorization), { method, headers: Object.fromEntries(passed) })
  }

  async function credential (recorded: string): Promise<string> {
    if (recorded.startsWith('{BASIC')) return `Basic ${Buffer.from(`any:${gateway.masterKey}`).toString('base64')}`
    const grants = [...recorded.matchAll(/repository:([a-z0-9/]+):([a-z,]+)/g)].map(([, name, actions]) => ({ type: 'repository', name: name as string, actions: (actions as string).split(',') as Action[] }) as const)
    return `Bearer ${await gateway.token(grants, recorded.includes('user=-') ? 'anonymous' : 'key:master')}`
  }

  let shared = 0
  for (const signed of [undefined, true] as const) {
    if (signed === true) t.equal((await ask('POST', '/api/org1/repo1/charts?force', pair.body, pair.contentType)).status, 201)
    else t.equal((await ask('POST', '/api/org1/repo1/charts', fixture('upload/mychart-0.2.0.tgz'))).status, 201)
    for (const recorded of RECORDED.filter(each => each.signed === signed)) {
      const { scenarios, request: { method, target }, response } = recorded
      const name = `${method} ${target} (${scenarios[0] as string})`
      const answer = await again(recorded)
      const other = OTHERWISE.find(({ when }) => when(recorded))
      t.equal(answer.status, other?.status ?? response.status, other === undefined ? name : `${name}: ${other.because}`)
      if (other !== undefined || response.status !== 200 || method === 'HEAD' || target === '/v2/') continue
      if (response.body?.includes(EMPTY_CONFIG) === true) continue // a manifest that oras makes of the same archive
      shared++
      if (response.body === undefined) t.equal(createHash('sha256').update(answer.bytes).digest('hex'), response.bodySha256 ?? /sha256:([0-9a-f]{64})$/.exec(target)?.[1], name)
      else t.strictSame(comparable(answer.bytes.toString()), comparable(response.body), name)
    }
  }
  t.ok(shared > 20, 'and most of them are answered with the same bytes')
})

/** A manifest without the time at which its file was packed, a list as it is. */
function comparable (body: string): string {
  return body.replace(/"org\.opencontainers\.image\.created":"[^"]*",/, '').replace(/\s+$/, '')
}
