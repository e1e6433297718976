import fc from 'fast-check'
import t from 'tap'
import { originOf } from '../../src/limits/origin.ts'

await t.test('an IPv4 address is one origin, and an IPv6 address one with its whole /64', t => {
  const cases: [address: string | undefined, origin: string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '8193:3512:1:2/64'],
    ['2001:db8:1:2::', '8193:3512:1:2/64'],
    ['2001:DB8:1:2::9', '8193:3512:1:2/64'],
    ['2001:0db8:0001:0002:ffff::1', '8193:3512:1:2/64'],
    ['2001:db8::1', '8193:3512:0:0/64'],
    ['2001:db8::1:2:3:4:5', '8193:3512:0:1/64'],
    ['1:2:3::', '1:2:3:0/64'],
    ['::1', '0:0:0:0/64'],
    ['::', '0:0:0:0/64'],
    ['::1:2:3:4:5:6:7', '0:1:2:3/64'],
    ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4/64'],
    [undefined, '']
  ]
  for (const [address, origin] of cases) t.equal(originOf(address), origin, address ?? 'none')
  t.end()
})

await t.test('an IPv4 address that is written as an IPv6 one is that origin, and no other\'s', t => {
  const cases: [address: string, origin: string][] = [
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:FFFF:192.0.2.1', '192.0.2.1'],
    ['0000:0000:0000:0000:0000:ffff:c000:0201', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '192.0.2.1'],
    ['64:ff9b::c000:201', '192.0.2.1'],
    ['::ffff:0.0.0.1', '0.0.0.1'],
    ['64:ff9b::1:192.0.2.1', '100:65435:0:0/64'],
    ['64:ff9b:1::192.0.2.1', '100:65435:1:0/64'],
    ['::192.0.2.1', '0:0:0:0/64']
  ]
  for (const [address, origin] of cases) t.equal(originOf(address), origin, address)
  t.end()
})

await t.test('addresses are of one origin exactly when they are of one /64, however they are written', t => {
  const group = fc.integer({ min: 0, max: 0xffff })
  const write = (groups: readonly number[]): string => new URL(`http://[${groups.map(each => each.toString(16)).join(':')}]`).hostname.slice(1, -1)
  // No network in which IPv4 addresses are written.
  const network = fc.tuple(group, group, group, group).filter(([first]) => first !== 0 && first !== 0x64)
  fc.assert(fc.property(network, fc.array(fc.oneof(fc.constant(0), group), { minLength: 8, maxLength: 8 }), (network, [a = 0, b = 0, c = 0, d = 0, ...host]) => {
    const [plain, short] = [[...network, ...host], [a, b, c, d, ...host]]
    return originOf(write(plain)) === originOf(plain.map(each => each.toString(16).padStart(4, '0').toUpperCase()).join(':')) &&
      (originOf(write(plain)) === originOf(write(short))) === (network.join() === [a, b, c, d].join())
  }))
  t.end()
})
