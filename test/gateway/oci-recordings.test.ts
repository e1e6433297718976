// All that Helm 3, Helm 4 and oras sent a small registry in 168 commands (login, push, pull,
// show, copy, delete), sent again to the gateway in their order: it answers with the same
// statuses, challenges and bytes, but for the rows of OTHERWISE.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startApp } from '../helpers/app.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { digestOfBytes } from '../helpers/oci.ts'
import { overEachRepository } from '../helpers/repositories.ts'
import { newSecret } from '../helpers/secrets.ts'
import { accountsFile } from '../helpers/team.ts'
import { createReplay, SCENARIOS, type Exchange, type Scenario } from './oci-recordings.ts'

interface Difference {
  readonly of: RegExp
  /** Which exchanges of these; left out: all. */
  readonly at?: (exchange: Exchange) => boolean
  readonly status: number
  /** Other bytes with the recorded status. */
  readonly isOther?: true
  readonly because: string
}

t.setTimeout(300_000)

const isToken = ({ request }: Exchange): boolean => request.target.startsWith('/token')
const isBearer = ({ request }: Exchange): boolean => request.headers.some(line => line.startsWith('Authorization: {BEARER'))
const answered = (...statuses: readonly number[]) => ({ response }: Exchange): boolean => statuses.includes(response.status)
const about = (target: RegExp, ...statuses: readonly number[]) => (exchange: Exchange): boolean => target.test(exchange.request.target) && answered(...statuses)(exchange)

/** Where the gateway answers otherwise than that registry did, and why. */
const OTHERWISE: readonly Difference[] = [
  { of: /\/login\/token-endpoint-/, at: isToken, status: 200, because: 'that token endpoint failed on purpose, to see what clients make of it' },
  { of: /-answers-anonymous-token$/, at: answered(200), status: 401, because: 'that token endpoint let a wrong password log in' },
  { of: /\/login\/empty-username-token-as-password$/, at: isToken, status: 200, because: "here the password is a robot's secret" },
  { of: /\/login\/v2-(?:404|answers-200)/, status: 401, because: 'that server was no registry, or asked nobody who they are' },
  { of: /^oras\/login-identity-token$/, at: isToken, status: 400, because: 'no token is given out that could be refreshed' },
  { of: /^oras\/login-identity-token$/, at: answered(200), status: 401, because: 'and so there is none to ask with' },
  { of: /\/pull\/403-denied$/, at: answered(403), status: 200, because: 'that registry refused a good token on purpose' },
  { of: /\/pull\/credentials-no-longer-valid$/, at: isToken, status: 200, because: 'here the password is what it was' },
  { of: /-401$/, at: isToken, status: 200, because: 'who has not logged in gets a token, with what is open to everyone in it' },
  { of: /\/pull\/not-logged-in-anonymous-pull-allowed$/, at: about(/^\/v2\//, 200), status: 401, because: 'here nothing is open to everyone' },
  { of: /\/push\/blob-post-507$/, at: answered(507), status: 202, because: 'that registry refused a push on purpose' },
  { of: /\/push\/(?:manifest-put-40[39]|blob-put-413|error-string-only-body)$/, at: answered(400, 403, 409, 413), status: 201, because: 'that registry refused a push on purpose, too' },
  { of: /\/push\/read-only-user-403$/, at: answered(403), status: 401, because: 'a token without the right is asked for a better one' },
  { of: /\/push\/token-always-rejected$/, at: exchange => isBearer(exchange) && answered(401)(exchange), status: 404, because: 'that registry took no token' },
  { of: /^oras\/push$/, at: about(/44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a$/, 404), status: 200, because: 'the empty config is known everywhere' },
  { of: /^oras\//, at: about(/\/manifests\/0\.2\.0$/, 200), status: 200, isOther: true, because: 'a tag has the manifest that names the config of its chart, and the one that oras pushes does not' },
  { of: /^oras\//, at: exchange => isBearer(exchange) && about(/\/manifests\/sha256:e8a7fdad/, 200, 202, 401)(exchange), status: 404, because: 'this digest is of a manifest whose chart is a layer of an image, which is not taken' },
  { of: /^oras\/copy-same-registry$/, at: about(/repo2\/mychart\/blobs\/sha256:c197857f/, 200), status: 404, because: 'a blob belongs to the repository that it was pushed to' },
  { of: /^oras\/copy-same-registry$/, at: about(/repo2\/mychart\/manifests\/0\.2\.0$/, 201), status: 400, because: 'and so a manifest cannot name it in another' },
  { of: /^oras\/attach$/, at: answered(201), status: 400, because: 'what is attached to a chart is not taken' },
  { of: /^oras\/discover$/, at: about(/\/referrers\//, 404), status: 200, because: 'that registry had no list of referrers' },
  { of: /^oras\/repo-ls$/, at: about(/_catalog/, 401, 404), status: 405, because: 'whoever asks: repositories are not listed' }
]

const used = new Set<Difference>()

/** What is to come, and why it is not what was recorded. */
function expected ({ id }: Scenario, exchange: Exchange): Pick<Difference, 'status' | 'isOther'> & { readonly because?: string } {
  const row = OTHERWISE.find(({ of, at }) => of.test(id) && at?.(exchange) !== false)
  if (row === undefined || (row.status === exchange.response.status && row.isOther !== true)) return { status: exchange.response.status }
  used.add(row)
  return row
}

const named = (id: string): Scenario => SCENARIOS.find(each => each.id === id) as Scenario

/** The push that brings about what a scenario begins with; undefined: nothing is there. */
function before ({ id, pushed }: Scenario): Scenario | undefined {
  if (id.endsWith('/verify')) return named('helm3/oci/push/with-prov')
  if (id.endsWith('/repush-same-file')) return named('helm3/oci/push/ok')
  return pushed === undefined ? undefined : named(pushed === 'helm' ? 'helm3/oci/push/ok' : 'oras/push')
}

await overEachRepository(t, { allowOverwrite: true }, async (t, { depth, origin }) => {
  const secret = newSecret()
  const file = join(await temporaryFolder(t), 'accounts.yaml')
  const people = [{ name: 'u', password: 'p', groups: ['team'] }, { name: 'r', password: 'p', groups: ['readers'] }, { name: 'a+b@x', password: 'p w&=%+\u00fc' }]
  await writeFile(file, await accountsFile(people, [{ name: 'ci', secrets: [secret] }]))
  const gateway = await startApp(t, {
    origin,
    config: config => ({
      ...config,
      upstream: { ...config.upstream, auth: 'none' },
      charts: { ...config.charts, depth },
      accounts: { files: [file] },
      policy: [
        { repositories: ['org1/*'], subjects: ['group:team'], actions: ['pull', 'push', 'delete'] },
        { repositories: ['org1/*'], subjects: ['group:readers'], actions: ['pull'] }
      ]
    })
  })

  /** Where a scenario happens, and what was pushed there before; undefined: nobody knows. */
  let [tenants, tenant, lies]: [number, string, string | undefined] = [0, '', undefined]
  const place = (text: string): string => text.replaceAll(/org1(\/|%2F)repo([12])/g, (_, slash: string, which: string) => `org1${slash}${tenant}-${which}`)

  /** A new tenant for each scenario that the last one leaves something to. */
  async function begin (scenario: Scenario): Promise<void> {
    const push = before(scenario)
    if (lies === (push?.id ?? 'nothing')) return
    tenant = `repo${++tenants}`
    lies = push?.id ?? 'nothing'
    const send = createReplay({ origin: gateway.url, secret, place })
    for (const exchange of push?.exchanges ?? []) await send(exchange)
  }

  let compared = 0
  async function replay (t: Test, scenario: Scenario): Promise<void> {
    await begin(scenario)
    const send = createReplay({ origin: gateway.url, secret, place })
    for (const exchange of scenario.exchanges) {
      const { request: { method, target }, response } = exchange
      const { status, isOther, because } = expected(scenario, exchange)
      const answer = await send(exchange)
      t.equal(answer.status, status, `${method} ${target}${because === undefined ? '' : `: ${because}`}`)
      if (answer.status !== response.status) continue
      const [scope] = /scope="[^"]*"/.exec(response.headers.join('\n')) ?? []
      if (scope !== undefined) t.match(answer.challenges[0], place(scope), `what ${method} ${target} needs`)
      if (status !== 200 || isToken(exchange) || method === 'HEAD' || isOther === true) continue
      compared++
      if (response.bodySha256 !== undefined) t.equal(digestOfBytes(answer.bytes), `sha256:${response.bodySha256}`, `${method} ${target}`)
      else t.equal(answer.bytes.toString().trimEnd(), place(response.body ?? '').trimEnd(), `${method} ${target}`)
    }
    if (scenario.exchanges.some(({ request: { method, target } }) => method !== 'GET' && method !== 'HEAD' && !target.startsWith('/token'))) lies = undefined
  }

  for (const scenario of SCENARIOS) await t.test(scenario.id, async t => { await replay(t, scenario) })
  t.equal(SCENARIOS.length, 168)
  t.ok(compared > 100, 'and most of what is read is the same, byte for byte')
}, [2])

t.strictSame(OTHERWISE.filter(row => !used.has(row)).map(({ because }) => because), [], 'every row is needed')
