import t from 'tap'
import { createAccountSources, isSomebody } from '../../src/identity/sources.ts'
import { createTokenSource } from '../../src/identity/sources/tokens.ts'
import { createAttempts } from '../../src/limits/attempts.ts'
import { UNLIMITED } from '../../src/limits/logins.ts'
import { accountsOf, robot, user } from '../helpers/accounts.ts'
import { clockOf } from '../helpers/clock.ts'
import { NOW } from '../helpers/tokens.ts'

await t.test('a subject is somebody while one source knows it', t => {
  let accounts = accountsOf([user('alice', 'h')], [robot('ci', 'd')])
  const clock = clockOf(() => NOW)
  const sourcesWith = (masterKey: string): ReturnType<typeof createAccountSources> =>
    createAccountSources({ masterKey: () => masterKey, accounts: () => accounts, clock, attempts: createAttempts(clock.monotonic, UNLIMITED) })
  const sources = sourcesWith('a master key of this test')
  for (const subject of ['anonymous', 'key:master', 'user:alice', 'robot:ci']) t.equal(isSomebody(sources, subject), true, subject)
  for (const subject of ['authenticated', 'user:ci', 'robot:alice', 'group:alice', 'key:other', 'issuer:corp/x', '']) t.equal(isSomebody(sources, subject), false, subject)
  t.equal(isSomebody(sourcesWith(''), 'key:master'), false, 'without a master key nobody has it')
  accounts = accountsOf([user('alice', 'h', { disabled: true })])
  for (const subject of ['user:alice', 'robot:ci']) t.equal(isSomebody(sources, subject), false, `${subject} after a reload`)
  t.end()
})

await t.test('a token lets nobody in for longer than its subject is somebody', t => {
  const nobody = { ok: false, code: 'token_unknown_subject' } as const
  const source = createTokenSource({ remembered: () => undefined, verify: () => nobody })
  for (const subject of ['user:alice', 'key:master', 'anonymous']) t.equal(source.isActive(subject), false, subject)
  t.equal(isSomebody([source], 'user:alice'), false)
  t.end()
})
