// What tests with real clients start from: a gateway with a person, two robots and a
// public tenant, in front of the embedded repository or of a real ChartMuseum. Clients
// must not see which: what they print is kept, so that the two can be compared.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import type { Test } from 'tap'
import { stringify } from 'yaml'
import { digestOf } from '../../src/identity/sources/robot-secret.ts'
import { cheapHash } from './accounts.ts'
import { chartMuseum, NO_CHARTMUSEUM, startChartMuseum } from './chartmuseum.ts'
import { serveFile, type Gateway } from './gateway.ts'
import { temporaryFolder, type RunResult, type TestLike } from './processes.ts'
import { newPassword, newSecret, recordToken } from './secrets.ts'
import { forgeries } from './walkthrough.ts'

export type Backend = 'the embedded repository' | 'a real ChartMuseum'

export interface Login {
  readonly username: string
  readonly password: string
}

export interface ClientLab {
  readonly gateway: Gateway
  /** Every right on org1/repo1 and org2/repo2. */
  readonly alice: Login
  /** pull and push on org1/repo1. */
  readonly ci: Login
  /** pull on org1/repo1. */
  readonly reader: Login
  /** A robot whose secret has ended. */
  readonly expired: Login
  /** What clients have printed here, without what differs from run to run. */
  readonly transcript: string[]
}

/** Where a gateway is mounted and where its ChartMuseum is. */
export interface Mounts {
  readonly basePath?: string
  readonly contextPath?: string
}

/** Tells the same story in front of each repository that there is; what clients print must be the same. */
export async function inFrontOfEach (t: Test, story: (t: Test, lab: ClientLab) => Promise<void>, mounts: Mounts = {}): Promise<void> {
  const transcripts: (readonly string[])[] = []
  for (const backend of ['the embedded repository', 'a real ChartMuseum'] as const) {
    if (backend === 'a real ChartMuseum' && chartMuseum === undefined) {
      await t.test(backend, { skip: NO_CHARTMUSEUM }, () => {})
      continue
    }
    await t.test(`in front of ${backend}`, async t => {
      const lab = await startClientLab(t, backend, mounts)
      await story(t, lab)
      transcripts.push(lab.transcript)
    })
  }
  const [embedded, other] = transcripts
  if (other !== undefined) t.strictSame(other, embedded, 'clients print the same in front of both')
}

/** Keeps what a client has printed. @param command nothing secret */
export function keep ({ transcript, gateway }: ClientLab, command: string, result: RunResult): RunResult {
  const text = `${command} (${result.code})\n${result.stdout}${result.stderr}`.replaceAll(gateway.url, 'URL').replaceAll(new URL(gateway.url).host, 'HOST')
    .replaceAll(/chartgate-\w{6}/g, 'FOLDER').replaceAll(/helm-manager-[0-9a-f]+/g, 'helm-manager-ID')
  // repositories are updated at the same time, and come in any order
  transcript.push(text.split('\n').sort().join('\n'))
  return result
}

async function startClientLab (t: TestLike, backend: Backend, { basePath = '', contextPath = '' }: Mounts): Promise<ClientLab> {
  const folder = await temporaryFolder(t)
  const alice: Login = { username: 'alice', password: newPassword() }
  const [ci, reader, expired] = (['ci', 'reader', 'expired'] as const).map(username => ({ username, password: newSecret() })) as [Login, Login, Login]
  const secret = ({ password }: Login, more: object = {}): object => ({ hash: `sha256:${digestOf(password)}`, ...more })
  await writeFile(join(folder, 'accounts.yaml'), stringify({
    users: [{ name: 'alice', passwordHash: await cheapHash(alice.password), groups: ['team'] }],
    robots: [
      { name: 'ci', secrets: [secret(ci)] },
      { name: 'reader', secrets: [secret(reader)] },
      { name: 'expired', secrets: [secret(expired, { expires: '2020-01-01' })] }
    ]
  }))
  const upstream = backend === 'a real ChartMuseum' ? await startChartMuseum(t, contextPath) : undefined
  const file = join(folder, 'chartgate.yaml')
  await writeFile(file, stringify({
    ...(upstream === undefined ? {} : { upstream: { url: upstream.url }, charts: { contextPath } }),
    accounts: { files: ['accounts.yaml'] },
    policy: [
      { repositories: ['org1/*'], subjects: ['robot:ci'], actions: ['pull', 'push'] },
      { repositories: ['org1/*'], subjects: ['robot:reader', 'robot:expired'], actions: ['pull'] },
      { repositories: ['org1/*', 'org2/*', 'public/*'], subjects: ['group:team'], actions: ['pull', 'push', 'overwrite', 'delete'] },
      { repositories: ['public/*'], subjects: ['anonymous'], actions: ['pull'] }
    ]
  }))
  const gateway = await serveFile(t, { file, basePath, ...(upstream === undefined ? {} : { stateDir: upstream.stateDir }) })
  return { gateway, alice, ci, reader, expired, transcript: [] }
}

/** A token of this gateway, asked for as curl does. */
export async function tokenFor ({ gateway }: ClientLab, { username, password }: Login, scope: string): Promise<string> {
  const query = new URLSearchParams({ grant_type: 'client_credentials', scope })
  const answer = await fetch(`${gateway.url}/oauth/token?${query}`, { method: 'POST', headers: { authorization: basic(username, password) } })
  return recordToken((await answer.json() as { access_token: string }).access_token)
}

/** The same token, five minutes and more later. */
export async function expiredTokenFor (lab: ClientLab, login: Login, scope: string): Promise<string> {
  const token = await tokenFor(lab, login, scope)
  const { expired } = await forgeries(token, lab.gateway)
  if (Number(decodeJwt(expired).exp) * 1000 > Date.now()) throw new Error('this token has not expired')
  return recordToken(expired)
}

/** Stores a chart, and its provenance if there is one. */
export async function store ({ gateway }: ClientLab, { username, password }: Login, tenant: string, chart: Buffer, prov?: Buffer): Promise<void> {
  const form = new FormData()
  form.set('chart', new Blob([new Uint8Array(chart)]), 'chart.tgz')
  if (prov !== undefined) form.set('prov', new Blob([new Uint8Array(prov)]), 'chart.tgz.prov')
  const answer = await fetch(`${gateway.url}/api/${tenant}/charts`, { method: 'POST', headers: { authorization: basic(username, password) }, body: form })
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`)
}

function basic (username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
