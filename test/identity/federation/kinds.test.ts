// Which audiences and issuers others have too.
import t from 'tap'
import { isAnyClusters, isSharedAudience, KINDS, kindOfIssuer } from '../../../src/identity/federation/kinds.ts'
import { AuditSchema } from '../../../src/observe/audit/schema.ts'

await t.test('an audience that the platform gives by itself is shared', async t => {
  const github = 'https://token.actions.githubusercontent.com'
  const cluster = 'https://kubernetes.default.svc.cluster.local'
  const shared = [
    ['github', github, 'https://github.com/octo-org'], ['github', github, 'https://github.com'], ['github', github, github],
    ['github', 'https://ghes.example.com/_services/token', 'https://ghes.example.com/octo-org'],
    ['gitlab', 'https://gitlab.example.com', 'https://gitlab.example.com'], ['gitlab', 'https://gitlab.example.com', 'https://gitlab.com'],
    ['kubernetes', cluster, cluster], ['kubernetes', 'https://eks.example.com/id/1', 'https://kubernetes.default.svc'], ['kubernetes', cluster, 'kubernetes.default.svc:443'], ['kubernetes', cluster, 'api'], ['kubernetes', cluster, 'k3s'],
    ['generic', 'https://id.example.com', 'https://id.example.com/'], ['generic', 'urn:x', 'urn:x']
  ] as const
  for (const [kind, issuer, audience] of shared) t.equal(isSharedAudience(kind, issuer, audience), true, `${kind} ${audience}`)
  for (const [kind, issuer] of shared) t.equal(isSharedAudience(kind, issuer, 'https://charts.example.com'), false, kind)
  t.equal(isSharedAudience('github', github, 'https://github.company.example'), false)
  t.equal(isSharedAudience('generic', 'https://id.example.com', 'chartgate'), false)
})

await t.test('what every cluster may be called says nothing of which one it is', async t => {
  for (const issuer of ['https://kubernetes.default.svc.cluster.local', 'https://kubernetes.default.svc', 'https://kubernetes', 'https://api.cluster.internal:6443']) t.equal(isAnyClusters(issuer), true, issuer)
  for (const issuer of ['https://oidc.eks.eu-west-1.amazonaws.com/id/ABC', 'https://gitlab.example.com', 'http://127.0.0.1:80', 'http://localhost:80']) t.equal(isAnyClusters(issuer), false, issuer)
})

await t.test('a platform is known by its issuer, also where it is a server of one\'s own', async t => {
  const known = [
    ['https://token.actions.githubusercontent.com', 'github'], ['https://token.actions.githubusercontent.com/octo-enterprise', 'github'],
    ['https://token.actions.octo.ghe.com', 'github'], ['https://ghes.example.com/_services/token', 'github'], ['https://gitlab.com', 'gitlab']
  ] as const
  for (const [issuer, kind] of known) t.equal(kindOfIssuer(issuer), kind, issuer)
  for (const issuer of ['https://gitlab.example.com', 'https://id.example.com/services/token', 'https://token.actions.githubusercontent.com.example.com', 'https://gitlab.company.example', 'http://127.0.0.1:8080']) t.equal(kindOfIssuer(issuer), undefined, issuer)
})

await t.test('the audit log has a place for every id', async t => {
  const ids = Object.keys(AuditSchema.properties?.['actor']?.properties?.['ids']?.properties ?? {})
  const named = new Set(Object.values(KINDS).flatMap(({ ids }) => Object.keys(ids)))
  t.strictSame([...named].filter(name => !ids.includes(name)), [])
  t.strictSame(ids.filter(name => !named.has(name)), [])
})
