// How jobs are called.
import t from 'tap'
import { claimsIn, fillTemplate, isTemplate } from '../../../src/identity/federation/template.ts'

await t.test('a template is ci:, a word, and a name of the one grammar', async t => {
  const right = ['ci:github:{repository}', 'ci:k8s-prod:{kubernetes.io/namespace}/{kubernetes.io/serviceaccount/name}', 'ci:x:fixed', 'ci:x:a/{b}.{c}']
  const wrong = ['', 'ci:', 'ci:github:', 'github:{repository}', 'user:{repository}', 'ci:GitHub:{repository}', 'ci:github:{repository', 'ci:github:{}', 'ci:github:a b', 'ci:github:/{a}', 'ci:github:{a}/', 'ci:github:a//b', 'ci:github:..', 'ci:github:{a}:{b}', 'ci:github:{a}\n']
  for (const text of right) t.equal(isTemplate(text), true, text)
  for (const text of wrong) t.equal(isTemplate(text), false, JSON.stringify(text))
  t.strictSame(claimsIn('ci:x:{a}/{b.c/d}'), ['a', 'b.c/d'])
})

await t.test('claims make a name only where each is one, and so is the whole', async t => {
  const fill = (values: Record<string, string>): unknown => fillTemplate('ci:x:{a}-{b}', claim => values[claim])
  t.strictSame(fill({ a: 'octo-org/.github', b: '1' }), { ok: true, subject: 'ci:x:octo-org/.github-1' })
  for (const b of ['', 'a b', 'a:b', '../c', '.', 'a//b', '/a', 'a/', 'a\nb', 'é', '*', '{a}']) t.strictSame(fill({ a: 'x', b }), { ok: false, claim: 'b' }, JSON.stringify(b))
  t.strictSame(fill({ b: 'x' }), { ok: false, claim: 'a' })
  t.strictSame(fill({ a: 'a'.repeat(200), b: 'b'.repeat(200) }), { ok: false, claim: 'b' }, 'both together are too long')
})
