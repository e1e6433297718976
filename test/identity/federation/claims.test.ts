// What a token says of one thing, and what is nothing that it says.
import t from 'tap'
import { claimOf, scalarText } from '../../../src/identity/federation/claims.ts'
import { githubClaims, gitlabClaims, kubernetesClaims } from '../../helpers/federation.ts'

const text = (value: string): object => ({ is: 'text', text: value })
const MISSING = { is: 'missing' }
const NO_SINGLE_VALUE = { is: 'no single value' }

await t.test('a scalar is the text that it is compared by, and what JSON readers round is none', async t => {
  t.strictSame(['a', 74, true, 0].map(scalarText), ['a', '74', 'true', '0'])
  for (const value of [1.5, 2 ** 53, NaN, null, undefined, [], ['a'], {}]) t.equal(scalarText(value), undefined)
})

await t.test('a list, a mapping and a rounded number are no single value; nothing and null are missing', async t => {
  for (const value of [['74'], [], { a: 1 }, 2 ** 60]) t.strictSame(claimOf('generic', { a: value }, 'a'), NO_SINGLE_VALUE, JSON.stringify(value))
  for (const value of [null, '', undefined]) t.strictSame(claimOf('generic', { a: value }, 'a'), MISSING)
  t.strictSame(claimOf('generic', {}, 'constructor'), MISSING, 'what every object has is no claim')
  t.strictSame(claimOf('generic', { a: 74 }, 'a'), text('74'))
})

await t.test('nested claims of Kubernetes are found from level to level, and not by a claim that is called so', async t => {
  const claims = kubernetesClaims()
  t.strictSame(claimOf('kubernetes', claims, 'kubernetes.io/namespace'), text('ci'))
  t.strictSame(claimOf('kubernetes', claims, 'kubernetes.io/serviceaccount/name'), text('publisher'))
  t.strictSame(claimOf('kubernetes', claims, 'kubernetes.io/serviceaccount'), NO_SINGLE_VALUE)
  t.strictSame(claimOf('kubernetes', claims, 'kubernetes.io/serviceaccount/name/x'), MISSING)
  t.strictSame(claimOf('kubernetes', { 'kubernetes.io/namespace': 'x' }, 'kubernetes.io/namespace'), MISSING, 'a legacy token has it there')
  t.strictSame(claimOf('generic', { 'kubernetes.io/namespace': 'x' }, 'kubernetes.io/namespace'), text('x'))
})

await t.test('the file of a workflow is one of the repository itself', async t => {
  const file = (more: object): unknown => claimOf('github', githubClaims({ ...more }), 'workflow_file')
  t.strictSame(file({}), text('release.yml'))
  t.strictSame(file({ workflow_ref: 'octo-org/octo-repo/.github/workflows/release.yml@refs/tags/v1.2.3' }), text('release.yml'))
  for (const workflow of ['evil/octo-repo/.github/workflows/release.yml@refs/heads/main', 'octo-org/octo-repo/.github/workflows/release.yml', 'octo-org/octo-repo/.github/workflows/a/release.yml@x', 'octo-org/octo-repo/.github/workflows/@x', 'octo-org/octo-repo-2/.github/workflows/release.yml@x', 'octo-org/octo-repo/.github/workflows/x@release.yml@x', 5]) t.strictSame(file({ workflow_ref: workflow }), MISSING, String(workflow))
  t.strictSame(file({ repository: undefined }), MISSING)
})

await t.test('the definition of a pipeline is one of the project itself', async t => {
  const file = (more: object): unknown => claimOf('gitlab', gitlabClaims({ ...more }), 'ci_config_file')
  t.strictSame(file({}), text('.gitlab-ci.yml'))
  t.strictSame(file({ ci_config_ref_uri: 'gitlab.example.com/my-group/my-project//ci/release.yml@refs/tags/v1' }), text('ci/release.yml'))
  for (const uri of ['gitlab.example.com/other/my-project//.gitlab-ci.yml@x', 'gitlab.example.com/x/my-group/my-project//.gitlab-ci.yml@x', 'gitlab.example.com/my-group/my-project/.gitlab-ci.yml@x', 'gitlab.example.com/my-group/my-project//.gitlab-ci.yml', null]) t.strictSame(file({ ci_config_ref_uri: uri }), MISSING, String(uri))
  t.strictSame(file({ project_path: undefined }), MISSING)
})
