import t from 'tap'
import { accountWarnings, SOON, type Giving } from '../../src/live/account-warnings.ts'
import { accountsOf, robot, user } from '../helpers/accounts.ts'

const NOW = Date.UTC(2026, 10, 28) / 1000
const DAY = 86_400
const GIVING: Giving = { policy: [], masterKey: 'a key', tokens: { issuers: [] }, identity: { certificates: [] }, federation: { rules: [] } }
const rule = (...subjects: string[]): Giving => ({ ...GIVING, masterKey: '', policy: [{ repositories: ['**'], subjects, actions: ['pull'] }] })

await t.test('a gateway at which nobody has any right says so', t => {
  const accounts = accountsOf([user('alice', 'h', { groups: ['team'] })], [])
  const silent = [GIVING, { ...GIVING, masterKey: '', tokens: { issuers: ['one'] } }, { ...GIVING, masterKey: '', federation: { rules: ['one'] } }, rule('anonymous'), rule('user:bob', 'group:team'), rule('user:alice')]
  for (const giving of silent) t.strictSame(accountWarnings(giving, accounts, NOW), [])
  for (const giving of [{ ...GIVING, masterKey: '' }, rule('user:bob', 'robot:alice')]) {
    t.strictSame(accountWarnings(giving, accounts, NOW), ['nobody has any right: no rule of policy is for somebody who is there, and there is no masterKey'])
  }
  t.end()
})

await t.test('a secret that has ended, or ends within two weeks, is named with its robot', t => {
  const ends = (name: string, ...expires: (number | undefined)[]) => ({
    ...robot(name, name),
    place: `${name}.yaml:1:1`,
    secrets: expires.map((each, i) => ({ digest: `${name}${i}`, ...(each === undefined ? {} : { expires: NOW + each }) }))
  })
  const robots = [ends('never', undefined), ends('late', SOON + 1), ends('soon', SOON, 1), ends('over', 0, -DAY), { ...ends('off', -DAY), disabled: true }]
  t.strictSame(accountWarnings(GIVING, accountsOf([], robots), NOW), [
    'soon.yaml:1:1: a secret of the robot soon ends at 2026-12-12T00:00:00Z: give the robot a new one beside it',
    'soon.yaml:1:1: a secret of the robot soon ends at 2026-11-28T00:00:01Z: give the robot a new one beside it',
    'over.yaml:1:1: a secret of the robot over ended at 2026-11-28T00:00:00Z: take it out, or give the robot a new one',
    'over.yaml:1:1: a secret of the robot over ended at 2026-11-27T00:00:00Z: take it out, or give the robot a new one'
  ])
  t.end()
})
