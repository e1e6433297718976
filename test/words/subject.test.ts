import t from 'tap'
import { isName, isRobotName, isSubject, readSubject, subjectOf } from '../../src/words/subject.ts'

const BAD = ['', ' ', 'a b', 'a:b', 'a/b', '-a', '.a', '*', 'a*', 'a\n', '\na', 'a\0', 'a$b', 'a"b', "a'b", 'a`b', 'ä', '@a', 'a'.repeat(129), '*)(uid=*']

await t.test('a name is plain, and none that a shell, a header or a rule takes for more', t => {
  for (const name of ['a', 'alice', 'Alice.B', 'alice@example.com', 'a+b', 'a_b-c', '9', 'a'.repeat(128)]) t.equal(isName(name), true, name)
  for (const name of BAD) t.equal(isName(name), false, name)
  for (const name of ['a', 'team-a-ci', '9.x_y', 'a'.repeat(63)]) t.equal(isRobotName(name), true, name)
  for (const name of [...BAD, 'A', 'a@b', 'a'.repeat(64)]) t.equal(isRobotName(name), false, name)
  t.end()
})

await t.test('a subject is one of five kinds', t => {
  for (const subject of ['anonymous', 'authenticated', 'user:alice', 'user:alice@example.com', 'group:team-a', 'robot:ci']) t.equal(isSubject(subject), true, subject)
  for (const subject of [...BAD, 'alice', 'user:', 'user:*', 'key:master', 'robot:CI', 'Anonymous', 'user:a:b', 'group:a/b', 'anonymous ', 'user:anonymous\n']) t.equal(isSubject(subject), false, subject)
  t.end()
})

await t.test('a subject reads as it was written', t => {
  for (const kind of ['user', 'robot', 'group', 'key'] as const) t.strictSame(readSubject(subjectOf(kind, 'a.b@c')), { kind, name: 'a.b@c' })
  t.strictSame(readSubject(subjectOf('issuer', 'corp/repo:org:x')), { kind: 'issuer', name: 'corp/repo:org:x' }, 'an issuer may say anything in a sub')
  for (const subject of ['anonymous', 'authenticated', '']) t.strictSame(readSubject(subject), { kind: '', name: subject })
  t.end()
})
