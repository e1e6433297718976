// What is said of several addresses of the chart repository, and when the gateway is ready.
import t from 'tap'
import { addressesCheck, addressStates, ailmentOfAll, watchAddresses, type Addresses, type AddressState } from '../../src/serve/addresses.ts'
import type { FollowerState } from '../../src/upstream/follower.ts'
import { manualBeats } from '../helpers/channels.ts'

const AWAY = 'the chart repository cannot be reached'

/** @param ailments of each; the first is the first */
function addresses (ailments: readonly (string | undefined)[], states: readonly AddressState[]): Addresses {
  const [first, ...further] = ailments.map((ailment, i) => ({ origin: `http://${'abc'[i]}`, ailment: async () => ailment }))
  return { first: first as Addresses['first'], further, states: () => states }
}

await t.test('reads go on while the first is away, where one that follows it is well', async t => {
  const cases: [ailments: (string | undefined)[], states: AddressState[], ailment: string | undefined][] = [
    [[undefined], [], undefined],
    [[AWAY], [], AWAY],
    [[undefined, AWAY], ['unproven'], undefined],
    [[AWAY, undefined], ['follows'], undefined],
    [[AWAY, undefined], ['unproven'], AWAY],
    [[AWAY, undefined], ['behind'], AWAY],
    [[AWAY, undefined], ['untold'], AWAY],
    [[AWAY, AWAY], ['follows'], AWAY],
    [[AWAY, AWAY, undefined], ['follows', 'follows'], undefined]
  ]
  for (const [ailments, states, ailment] of cases) t.equal(await ailmentOfAll(addresses(ailments, states)), ailment, JSON.stringify([ailments, states]))
})

await t.test('whoever asks for all of it reads of each address what is wrong with it', async t => {
  const check = (ailments: (string | undefined)[], states: AddressState[]): ReturnType<typeof addressesCheck> => addressesCheck(addresses(ailments, states))
  t.match(check([undefined], []), { name: 'upstream.urls', hinders: false })
  t.strictSame(await check([undefined, undefined], ['follows']).look(), [])
  t.match(await check([AWAY, undefined, AWAY], ['follows', 'follows']).look(), [`http://a: ${AWAY}, and so every change is refused`, `http://c: ${AWAY}`])
  t.match(await check([undefined, undefined, undefined], ['behind']).look(), [/^http:\/\/b: is not read from: it did not show what the first showed\. /, /^http:\/\/c: is not read from: it has not shown yet/])
  t.match(await check([undefined, undefined], ['untold']).look(), [/^http:\/\/b: is not read from for now: /])
})

await t.test('what is known of each is said once, and again when it is something else, also because not all is told here', t => {
  const said: (readonly AddressState[])[] = []
  const { every, beat } = manualBeats()
  let [states, knowsAll]: [FollowerState[], boolean] = [['follows', 'behind'], true]
  watchAddresses(addressStates({ followers: () => states }, { knowsAll: () => knowsAll }), each => { said.push(each) }, every)
  beat()
  knowsAll = false
  beat()
  beat()
  states = ['unproven', 'behind']
  beat()
  t.strictSame(said, [['follows', 'behind'], ['untold', 'behind'], ['unproven', 'behind']])
  const nobody: unknown[] = []
  watchAddresses(() => [], each => { nobody.push(each) }, every)
  t.strictSame(nobody, [])
  t.end()
})
