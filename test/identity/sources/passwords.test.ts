import t from 'tap'
import { createPasswords, hashFault, hashPassword, passwordFault } from '../../../src/identity/sources/passwords.ts'
import { cheapBcrypt, cheapHash } from '../../helpers/accounts.ts'

const passwords = createPasswords()

/** Whether the password is the hash's, computed where it has to be. */
async function matches (password: string, hash: string, { comparison } = passwords): Promise<boolean> {
  return await comparison(password, hash)?.() ?? false
}

await t.test('a password matches its own hash alone, of every kind', async t => {
  const umlaut = 'p\u00e4ss w\u00f6rd \ud83d\udd11'
  for (const password of ['x', 'correct horse', umlaut, 'a'.repeat(72)]) {
    for (const hash of [await cheapHash(password), ...await Promise.all((['2a', '2b', '2y'] as const).map(async version => await cheapBcrypt(password, version)))]) {
      t.equal(await matches(password, hash), true, hash.slice(0, 5))
      for (const wrong of [`${password} `, password.slice(1), password.toUpperCase() + '!', `${password}\0`]) t.equal(await matches(wrong, hash), false)
    }
  }
  t.equal(await matches(umlaut.normalize('NFD'), await cheapHash(umlaut)), false, 'letters are compared as they came')
})

await t.test('what a hash would cut off is refused and never hashed', async t => {
  let hashed = 0
  const counting = createPasswords({ argon2: async () => { hashed++; return true }, bcrypt: async () => { hashed++; return true } })
  const [argon, bcrypt] = [await cheapHash('x'), await cheapBcrypt('a'.repeat(72))]
  for (const [password, hash] of [['a'.repeat(73), bcrypt], ['\u00e4'.repeat(37), bcrypt], ['a'.repeat(1_000_000), bcrypt], ['a'.repeat(1025), argon], ['', argon], ['a\0b', argon], ['a\0b', bcrypt]] as const) {
    t.equal(await matches(password, hash, counting), false, `${password.length} characters`)
  }
  t.equal(hashed, 0)
  t.equal(await matches('a'.repeat(73), argon, counting), true, 'argon2id reads all of it')
  t.equal(hashed, 1)
})

await t.test('a new hash is argon2id with the parameters that OWASP names, and matches', async t => {
  const hash = await hashPassword('correct horse')
  t.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.equal(await hashFault(hash), undefined)
  t.equal(await matches('correct horse', hash), true)
})

await t.test('a hash that cannot be used says why, without repeating itself', async t => {
  const good = await cheapHash('x')
  const cases: [string, RegExp][] = [
    ['', /neither/],
    ['plain-password', /neither/],
    ['$apr1$x$y', /neither/],
    ['{SHA}abc', /neither/],
    ['$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g', /neither/],
    ['$argon2id$', /not complete/],
    [good.slice(0, 30), /not complete/],
    [good.replace('m=8', 'm=99999999'), /costs more/],
    [good.replace('t=1', 't=999'), /costs more/],
    ['$2y$', /not complete/],
    [(await cheapBcrypt('x')).slice(0, 40), /not complete/],
    [(await cheapBcrypt('x')).replace('$04$', '$31$'), /cost is above/]
  ]
  for (const [hash, fault] of cases) {
    const found = await hashFault(hash)
    t.match(found, fault, hash)
    if (hash.length > 5) t.notMatch(found, hash)
  }
  for (const hash of [good, await cheapBcrypt('x', '2a'), await cheapBcrypt('x', '2b'), await cheapBcrypt('x')]) t.equal(await hashFault(hash), undefined)
  t.equal(passwordFault('x'), undefined)
})

await t.test('a hash whose library is missing cannot be used, and what is missing is named', async t => {
  const missing = async (): Promise<never> => { throw new Error('Cannot find native binding. npm may\nmore') }
  for (const [hash, name] of [[await cheapHash('x'), 'argon2'], [await cheapBcrypt('x'), 'bcrypt']] as const) {
    t.match(await hashFault(hash, { argon2: missing, bcrypt: missing }), new RegExp(`^what checks it, @node-rs/${name}, cannot be loaded on this machine: .* \\(Cannot find native binding\\)$`))
  }
})
