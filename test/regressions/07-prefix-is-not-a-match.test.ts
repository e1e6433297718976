// Class 7: a name that begins like another is taken for it. SciTokens CVE-2026-32716: a
// grant for `/john` opened `/johnathan`. Tenants, subjects and groups here are compared
// whole, segment by segment and letter by letter.
import t from 'tap'
import { grant } from '../helpers/app.ts'
import { newPassword, newSecret } from '../helpers/secrets.ts'
import { basic, startTeam } from '../helpers/team.ts'

const OWN = 'org1/repo1'
const NEAR = ['org1/repo10', 'org1/repo1-x', 'org1/repo1.x', 'org1/repo1_', 'org1/repo', 'org10/repo1', 'org/repo1', 'xorg1/repo1', 'ORG1/repo1', 'org1/REPO1', 'Org1/Repo1']
/** At another depth than two only `dynamic` has these. */
const DEEPER = ['org1/repo1/sub', 'sub/org1/repo1', 'org1', 'repo1']

for (const depth of [2, 'dynamic'] as const) {
  await t.test(`a right for one tenant opens none that is called alike, at depth ${depth}`, async t => {
    const [password, secret] = [newPassword(), newSecret()]
    const { gateway, ask, token, stub } = await startTeam(t, {
      people: [{ name: 'alice', password }],
      robots: [{ name: 'ci', secrets: [secret] }],
      policy: [{ repositories: [OWN], subjects: ['user:alice', 'robot:ci'], actions: ['pull', 'push', 'overwrite', 'delete'] }],
      config: config => ({ ...config, charts: { ...config.charts, depth } })
    })
    const credentials = [basic('alice', password), `Bearer ${secret}`, `Bearer ${await gateway.token([grant(OWN, 'pull', 'push', 'overwrite', 'delete')])}`]
    for (const authorization of credentials) {
      t.equal((await ask(`/${OWN}/index.yaml`, { authorization })).status, 200)
      stub.seen.length = 0
      for (const tenant of [...NEAR, ...DEEPER]) {
        for (const [method, path] of [['GET', `/${tenant}/index.yaml`], ['GET', `/${tenant}/charts/a-1.0.0.tgz`], ['POST', `/api/${tenant}/charts`], ['DELETE', `/api/${tenant}/charts/a/1.0.0`]] as const) {
          const { status } = await ask(path, { method, authorization })
          t.ok([401, 403, 404].includes(status), `${method} ${path}: ${status}`)
        }
      }
      t.equal(stub.seen.length, 0, 'the upstream heard of none')
      const scopes = [...NEAR, ...DEEPER].map(tenant => `scope=artifact-repository:${tenant}:pull`).join('&')
      t.strictSame((await token(`?${scopes}`, { authorization })).claims['access'], [])
      const charts = ['repository:org1/repo1x/a:pull', 'repository:org1/repo1/sub/a:pull', 'repository:org1/repo10:pull', 'repository:org1/a:pull'].map(scope => `scope=${scope}`).join('&')
      t.strictSame((await token(`?${charts}`, { authorization })).claims['access'], [])
    }
  })
}

await t.test('a star stands for one whole segment, and two stars for whole segments too', async t => {
  const password = newPassword()
  const { ask } = await startTeam(t, {
    people: [{ name: 'alice', password }],
    policy: [{ repositories: ['org1/*', 'team/**', '*/shared'], subjects: ['user:alice'], actions: ['pull'] }],
    config: config => ({ ...config, charts: { ...config.charts, depth: 'dynamic' } })
  })
  const authorization = basic('alice', password)
  const cases: [string, boolean][] = [
    ['org1/a', true], ['org1/a/b', false], ['org1', false], ['org10/a', false], ['org/a', false], ['x/org1/a', false],
    ['team/a', true], ['team/a/b/c', true], ['team', false], ['team-b/a', false], ['teams/a', false], ['TEAM/a', false],
    ['x/shared', true], ['shared', false], ['x/y/shared', false], ['x/shared2', false], ['x/shared/y', false]
  ]
  for (const [tenant, allowed] of cases) t.equal((await ask(`/${tenant}/index.yaml`, { authorization })).status, allowed ? 200 : 403, tenant)
})

await t.test('who is called like another, or is in a group that is, has none of its rights', async t => {
  const names = ['john', 'johnathan', 'John', 'jo', 'john.x', 'john@x']
  const groups = ['team-a', 'team-ab', 'team', 'Team-A']
  const people = [
    ...names.map(name => ({ name, password: newPassword() })),
    ...groups.map(group => ({ name: `in-${group}`, password: newPassword(), groups: [group] })),
    { name: 'team-a', password: newPassword() },
    { name: 'ci', password: newPassword() }
  ]
  const robots = ['ci', 'ci-2', 'c', 'john', 'team-a'].map(name => ({ name, secrets: [newSecret()] }))
  const { ask } = await startTeam(t, {
    people,
    robots,
    policy: [{ repositories: [OWN], subjects: ['user:john', 'group:team-a', 'robot:ci'], actions: ['pull'] }]
  })
  const mayRead = async (authorization: string): Promise<boolean> => (await ask(`/${OWN}/index.yaml`, { authorization })).status === 200
  const found = [
    ...await Promise.all(people.map(async ({ name, password }) => await mayRead(basic(name, password)) ? `user:${name}` : '')),
    ...await Promise.all(robots.map(async ({ name, secrets }) => await mayRead(`Bearer ${secrets[0]}`) ? `robot:${name}` : ''))
  ].filter(name => name !== '')
  t.strictSame(found, ['user:john', 'user:in-team-a', 'robot:ci'])
})
