import t from 'tap'
import { createPasswords } from '../../src/identity/sources/passwords.ts'
import { command } from '../helpers/commands.ts'
import { newPassword } from '../helpers/secrets.ts'

await t.test('hash-password prints a hash of what it reads, and nothing else on standard output', async t => {
  const password = newPassword()
  const { code, out, err, prompts } = await command(['hash-password'], {}, password)
  t.strictSame([code, err], [0, ''])
  t.match(out, /^\$argon2id\$[^\n]+\n$/)
  t.strictSame(prompts, ['Password: ', 'The same again: '])
  t.equal(await createPasswords().comparison(password, out.trim())?.(), true)
})

await t.test('what is no password is refused, and says why', async t => {
  for (const [typed, fault] of [['', /empty/], ['a\0b', /NUL/], ['x'.repeat(1025), /longer than 1024/], [{ ok: false, message: 'it is no UTF-8' }, /^chartgate: no password: it is no UTF-8\n$/]] as const) {
    t.match(await command(['hash-password'], {}, typed), { code: 1, out: '', err: fault })
  }
})
