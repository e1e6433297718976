import t from 'tap'
import { Company } from '../../src/lib/company.ts'
import { createPresence, type OwnPresence } from '../../src/lib/presence.ts'

interface One { readonly asker: { readonly presence: OwnPresence } }

const one = (): One => ({ asker: { presence: createPresence() } })

await t.test('who comes before it begins joins, and who comes then does not', async t => {
  const [first, second, third] = [one(), one(), one()]
  const company = new Company(first)
  const joined: One[] = []
  company.onJoin(member => { joined.push(member) })
  t.equal(company.join(second), true)
  t.equal(company.begin(), false)
  t.equal(company.join(third), false)
  t.same([company.members, joined], [[first, second], [second]])
  t.equal(new Company(first).begin(), true, 'one alone is told so')
})

await t.test('when it begins, those who have gone are forgotten', async t => {
  const [first, second] = [one(), one()]
  const company = new Company(first)
  company.join(second)
  first.asker.presence.leave()
  t.equal(company.present, second)
  t.equal(company.begin(), true)
  t.same(company.members, [second])
})

await t.test('it is told once when the last has gone, whoever goes first', async t => {
  const members = [one(), one(), one()]
  const company = new Company(members[0] as One)
  let told = 0
  company.onAllGone(() => { told++ })
  for (const member of members.slice(1)) company.join(member)
  for (const i of [1, 0, 2]) {
    t.equal(told, 0)
    members[i]?.asker.presence.leave()
  }
  t.equal(told, 1)
  company.onAllGone(() => { told++ })()
  t.equal(told, 2, 'at once, when nobody is there')
  t.equal(company.present, undefined)
})

await t.test('what was taken back is not told', async t => {
  const [first, second] = [one(), one()]
  const company = new Company(first)
  company.join(second)
  const takeBack = company.onAllGone(() => { t.fail('told') })
  first.asker.presence.leave()
  takeBack()
  second.asker.presence.leave()
})

await t.test('as many may come and go as like', async t => {
  const there = one()
  const company = new Company(there)
  for (let i = 0; i < 10_000; i++) {
    const member = one()
    company.join(member)
    member.asker.presence.leave()
  }
  t.ok(company.members.length <= 17, `${company.members.length} are remembered`)
  for (let i = 0; i < 100; i++) company.join(one())
  t.ok(company.members.length > 100)
  t.equal(company.members[0], there)
})
