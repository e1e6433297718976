// Class 22: what is kept for one caller is given to another. Hono CVE-2026-44457 (a cache
// that looked at no Vary: Authorization). The gateway keeps one index for each tenant,
// whoever asked first: so nothing is looked up before the right was checked, no condition
// is answered before it, and an entity tag that somebody knows proves nothing.
import { gunzipSync } from 'node:zlib'
import { parse } from 'yaml'
import t, { type Test } from 'tap'
import { request } from 'undici'
import { newPassword, newSecret } from '../helpers/secrets.ts'
import { grant } from '../helpers/app.ts'
import { inShort } from '../helpers/in-short.ts'
import { basic, startTeam, type Answer, type Team } from '../helpers/team.ts'

const OWN = '/org1/repo1/index.yaml'
const OTHER = '/org2/repo2/index.yaml'

/** Long enough to be sent under gzip. */
const indexOf = (chart: string): string => `apiVersion: v1\nentries:\n  ${chart}:\n${Array.from({ length: 50 }, (_, i) => `  - name: ${chart}\n    urls:\n    - charts/${chart}-${i}.0.0.tgz\n    version: ${i}.0.0\n`).join('')}generated: "x"\nserverInfo: {}\n`

interface Lab extends Team {
  /** Headers of those who may not read the other tenant, and what they are told. */
  readonly strangers: readonly (readonly [name: string, headers: Readonly<Record<string, string>>, status: number])[]
  /** Who may. */
  readonly owner: string
  /** Who may read their own alone. */
  readonly neighbour: string
}

async function startLab (t: Test, maxAge: number): Promise<Lab> {
  const [password, secret] = [newPassword(), newSecret()]
  const team = await startTeam(t, {
    people: [{ name: 'alice', password }],
    robots: [{ name: 'ci', secrets: [secret] }],
    policy: [
      { repositories: ['org1/repo1'], subjects: ['user:alice', 'robot:ci'], actions: ['pull'] },
      { repositories: ['org2/repo2'], subjects: ['robot:ci'], actions: ['push'] },
      { repositories: ['public/*'], subjects: ['anonymous'], actions: ['pull'] }
    ],
    config: config => ({ ...config, charts: { ...config.charts, index: { ...config.charts.index, maxAge } } })
  })
  team.stub.answer = ({ target }) => ({ body: indexOf(target === OTHER ? 'secret' : 'own') })
  const bearer = async (tenant: string, action: 'pull' | 'push'): Promise<string> => `Bearer ${await team.gateway.token([grant(tenant, action)])}`
  const owner = await bearer('org2/repo2', 'pull')
  const neighbour = await bearer('org1/repo1', 'pull')
  return {
    ...team,
    owner,
    neighbour,
    strangers: [
      ['a token for another tenant', { authorization: neighbour }, 401],
      ['the same as a password', { authorization: basic('any', neighbour.slice(7)) }, 403],
      ['a token to push alone', { authorization: await bearer('org2/repo2', 'push') }, 401],
      ['a person of another tenant', { authorization: basic('alice', password) }, 403],
      ['a robot that may push alone', { authorization: `Bearer ${secret}` }, 401],
      ['nobody', {}, 401],
      ['a token with another signature', { authorization: `${owner.slice(0, -6)}AAAAAA` }, 401],
      ['a wrong password', { authorization: basic('alice', 'wrong') }, 401]
    ]
  }
}

/** Every request by which a cache might be made to speak, with the entity tags of what it has. */
function conditions (etags: readonly string[]): Readonly<Record<string, string>>[] {
  const tags = [...etags, `W/${etags[0]}`, '*', `"x", ${etags.join(', ')}`]
  const encodings = [{}, ...inShort([], [{ 'accept-encoding': 'gzip' }]), { 'accept-encoding': 'br, gzip;q=0.5, identity;q=0' }]
  return encodings.flatMap(encoding => [
    encoding,
    ...tags.map(tag => ({ ...encoding, 'if-none-match': tag })),
    { ...encoding, 'if-match': etags[0] as string },
    { ...encoding, 'if-modified-since': new Date().toUTCString() },
    { ...encoding, range: 'bytes=0-99', 'if-range': etags[0] as string },
    { ...encoding, 'cache-control': 'only-if-cached, max-stale=99999' }
  ])
}

for (const maxAge of [0, 3600]) {
  await t.test(`what one tenant has warmed is nobody else's, with maxAge ${maxAge}s`, async t => {
    const { ask, stub, strangers, owner, neighbour } = await startLab(t, maxAge)
    const warm = async (): Promise<Answer[]> => [await ask(OTHER, { authorization: owner }), await ask(OTHER, { authorization: owner, headers: { 'accept-encoding': 'gzip' } })]
    const etags = (await warm()).map(({ status, headers }) => {
      t.equal(status, 200)
      return String(headers['etag'])
    })
    t.equal(new Set(etags).size, 2, 'whole and under gzip are two')
    const asked = stub.seen.length
    t.equal(asked, maxAge === 0 ? 2 : 1, 'and it is in memory when it may be')
    for (const [name, who, status] of strangers) {
      for (const headers of conditions(etags)) {
        for (const method of ['GET', 'HEAD']) {
          const answer = await ask(OTHER, { method, headers: { ...who, ...headers } })
          const shown = `${name}: ${method} ${JSON.stringify(headers)}`
          t.equal(answer.status, status, shown)
          t.notMatch(JSON.stringify(answer.headers) + answer.body, new RegExp(`secret|${etags.map(etag => etag.replaceAll(/[^\w]/g, '.')).join('|')}`), shown)
          t.strictSame(['etag', 'content-encoding', 'cache-control', 'last-modified'].filter(header => Object.hasOwn(answer.headers, header)), [], shown)
        }
      }
    }
    t.equal(stub.seen.length, asked, 'the upstream was not asked for any of them')

    const other = await ask(OWN, { authorization: neighbour, headers: { 'if-none-match': etags.join(', ') } })
    t.match([other.status, other.body], [200, /own-0/], 'nor does the tag of one index stand for another')
    t.notMatch(other.body, 'secret')
    for (const [i, encoding] of [{}, { 'accept-encoding': 'gzip' }].entries()) t.equal((await ask(OTHER, { authorization: owner, headers: { ...encoding, 'if-none-match': etags[i] as string } })).status, 304, 'who may read it is told that it is the same')
  })

  await t.test(`requests of several tenants at once are answered from their own, with maxAge ${maxAge}s`, async t => {
    const { gateway, owner, neighbour } = await startLab(t, maxAge)
    const answers = await Promise.all(Array.from({ length: inShort(100, 300) }, async (_, i) => {
      const [path, authorization, status, chart] = [[OTHER, owner, 200, 'secret'], [OWN, neighbour, 200, 'own'], [OTHER, neighbour, 401, ''], ['/public/x/index.yaml', undefined, 200, 'own'], [OTHER, undefined, 401, '']][i % 5] as [string, string | undefined, number, string]
      const zipped = i % 2 === 0
      const answer = await request(gateway.url + path, { headers: { ...(authorization === undefined ? {} : { authorization }), ...(zipped ? { 'accept-encoding': 'gzip' } : {}) } })
      const body = Buffer.from(await answer.body.arrayBuffer())
      const text = (answer.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString()
      const entries = answer.statusCode === 200 ? Object.keys((parse(text) as { entries: object }).entries).join() : ''
      return answer.statusCode === status && entries === chart ? '' : `${i}: ${path} ${answer.statusCode} ${entries}`
    }))
    t.strictSame(answers.filter(wrong => wrong !== ''), [])
  })
}

await t.test('whoever loses the right is refused at the next request, whatever they know', async t => {
  let now = Math.floor(Date.now() / 1000)
  const { gateway, ask, stub } = await startTeam(t, { now: () => now, config: config => ({ ...config, charts: { ...config.charts, index: { ...config.charts.index, maxAge: 3600 } } }) })
  stub.answer = () => ({ body: indexOf('secret') })
  const authorization = `Bearer ${await gateway.token([grant('org2/repo2', 'pull')])}`
  const first = await ask(OTHER, { authorization })
  const again = { authorization, headers: { 'if-none-match': String(first.headers['etag']) } }
  t.equal((await ask(OTHER, again)).status, 304)
  now += gateway.config.tokens.ttl + 10
  for (const headers of [{}, again.headers, { 'if-none-match': '*' }]) t.equal((await ask(OTHER, { authorization, headers })).status, 401)
})

await t.test('no cache in between may give it to somebody else', async t => {
  const { ask, owner } = await startLab(t, 0)
  for (const headers of [{}, { 'accept-encoding': 'gzip' }]) {
    const answer = await ask(OTHER, { authorization: owner, headers })
    t.equal(answer.headers['cache-control'], 'private, no-cache')
    t.equal(answer.headers['vary'], 'accept-encoding')
  }
})
