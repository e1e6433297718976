// What five proxies were recorded to ask about 38 requests of a client, asked here: for each
// the door's decision is the one for what the chart repository then got from the proxy, or a
// refusal. The token of a yes is for the tenant and the action that ChartMuseum finds in
// that; a model of its matcher says which.
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { DialectName } from '../../src/words/dialects.ts'
import { askedBy, startAsked, type AskedGateway } from '../helpers/authz.ts'
import { dataUrl } from '../helpers/data.ts'
import type { RawResponse } from '../helpers/raw.ts'
import type { SeenRequest } from '../helpers/stub-upstream.ts'
import { differenceOf } from '../helpers/two-tenants.ts'

/** One request of a client; heads are bytes, a character each. */
interface Recorded {
  readonly case: string
  readonly log: readonly { readonly who: 'auth' | 'up', readonly head: string }[]
}

interface Recording {
  readonly dialect: DialectName
  /** Which of the 38 pass, beside those that a client writes as they have to be written. */
  readonly also: readonly string[]
  /** Which of those the proxy refuses itself. */
  readonly not?: readonly string[]
}

/** The credentials of the recordings, which were robot:ci's there. */
const BASIC = 'Basic Y2k6c2VjcmV0'

/** What is asked of org1/repo1 in the one way in which it is written, whatever the upstream or the auth service said in the recording. */
const ORDINARY = ['plain', 'plus', 'emptyq', 'absolute', 'starhost', 'DELETE', 'HEAD', 'POST', 'chunked', 'expect', 'override', '204', '302', '400', '403', '404', '429', '503', 'spoof-noset']
/** With headers of the client's own, which the proxy took out, or which say the same as its own. */
const HOSTILE = ['spoof', 'underscore']

const RECORDINGS: Readonly<Record<string, Recording>> = {
  nginx: { dialect: 'nginx', also: ['underscore', 'hopbyhop'] },
  'nginx-uri': { dialect: 'nginx', also: ['underscore', 'hopbyhop'] },
  'nginx-err': { dialect: 'nginx', also: ['underscore', 'hopbyhop'] },
  // It merges slashes before it asks, and sends on what it asked about.
  'traefik-a': { dialect: 'traefik', also: [...HOSTILE, 'dslash'] },
  'traefik-c': { dialect: 'traefik', also: ['spoof'] },
  'traefik-d': { dialect: 'traefik', also: [...HOSTILE, 'dslash'] },
  caddy: { dialect: 'caddy', also: HOSTILE },
  caddy2: { dialect: 'caddy', also: HOSTILE },
  envoy: { dialect: 'envoy', also: HOSTILE },
  // It normalises the path, and sends that on.
  'envoy-norm': { dialect: 'envoy', also: [...HOSTILE, 'dslash', 'pct2F', 'bslash'] },
  haproxy: { dialect: 'traefik', also: [...HOSTILE, 'hopbyhop'], not: ['absolute'] }
}

function recordingOf (name: string): Recorded[] {
  return JSON.parse(readFileSync(dataUrl(`forward-auth/${name}.json`), 'utf8')) as Recorded[]
}

/** What the auth service was asked, of each case that came to it, and the answer that it gets here. */
async function replay (name: string, { send, ci }: AskedGateway): Promise<[Recorded, RawResponse][]> {
  const answers: [Recorded, RawResponse][] = []
  for (const recorded of recordingOf(name)) {
    const asked = recorded.log.find(({ who }) => who === 'auth')
    if (asked !== undefined) answers.push([recorded, await send(asked.head.replaceAll(BASIC, ci))])
  }
  return answers
}

/** Where the upstream would understand what it got otherwise than it was allowed; '' is nowhere, also where it got nothing. */
function differenceIn ({ log }: Recorded, { headers }: RawResponse): string {
  const up = log.find(({ who }) => who === 'up')
  if (up === undefined) return ''
  const [method, target] = (up.head.split('\r\n', 1)[0] as string).split(' ')
  return differenceOf({ method, target, headers: { authorization: headers['authorization']?.[0] } } as SeenRequest, { depth: 2 })
}

async function isSafe (t: Test, answers: readonly [Recorded, RawResponse][]): Promise<void> {
  for (const [recorded, answer] of answers) {
    const name = recorded.case
    if (answer.status === 200) {
      t.equal(differenceIn(recorded, answer), '', `${name}: what passed is what was allowed`)
      t.same([answer.headers['x-auth-user'], answer.headers['x-auth-tenant'], answer.body], [['robot:ci'], ['org1/repo1'], ''], `${name}: for whom, and for which tenant`)
    } else {
      t.same([answer.headers['authorization'], answer.headers['x-auth-user'], answer.headers['location']], [undefined, undefined, undefined], `${name}: nothing is handed out with a no`)
      t.equal(answer.headers['www-authenticate']?.length, answer.status === 401 ? 2 : undefined, `${name}: ${answer.status}`)
    }
  }
}

for (const [name, { dialect, also, not = [] }] of Object.entries(RECORDINGS)) {
  await t.test(`${name}: what passes is what was allowed`, async t => {
    const gateway = await startAsked(t, dialect, { config: config => ({ ...config, authz: askedBy(dialect, { push: true }) }) })
    const answers = await replay(name, gateway)
    t.ok(answers.length > 30)
    await isSafe(t, answers)
    t.same(answers.filter(([, { status }]) => status === 200).map(([recorded]) => recorded.case).sort(), [...ORDINARY, ...also].filter(each => !not.includes(each)).sort())
    t.same(answers.filter(([recorded]) => recorded.case.startsWith('401')).map(([, { status }]) => status), [401, 401, 401], 'no credentials came with these')
    t.same(gateway.stub.seen, [], 'the upstream hears nothing of a question')
  })
}

await t.test('nginx without a word of the target passes nothing', async t => {
  const gateway = await startAsked(t, 'nginx')
  const answers = await replay('nginx-bare', gateway)
  t.ok(answers.length > 30)
  t.same([...new Set(answers.map(([, { status }]) => status))], [403])
  t.match(gateway.gateway.log.at(-1), { door: 'authz', reason: 'authz_unreadable', detail: /\/authz/, status: 403 })
})

await t.test('with trustForwardHeader a client chooses what Traefik asks about, and the token is for that alone', async t => {
  const gateway = await startAsked(t, 'traefik', { config: config => ({ ...config, policy: [{ repositories: ['public/x'], subjects: ['robot:ci'], actions: ['pull'] }] }) })
  const passed = (await replay('traefik-b', gateway)).filter(([, { status }]) => status === 200)
  t.same(passed.map(([recorded]) => recorded.case), ['spoof'])
  for (const [recorded, answer] of passed) t.match(differenceIn(recorded, answer), 'authorised for public/x pull, ChartMuseum reads "org1/repo1 pull"')
})
