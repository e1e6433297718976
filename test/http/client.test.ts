import fc from 'fast-check'
import { isIP } from 'node:net'
import t from 'tap'
import { createClientReader } from '../../src/http/client.ts'

const PUBLIC = 'https://charts.example.test:8443/helm'
const OWN = { isProxy: false, proto: 'https', host: 'charts.example.test:8443' }
const read = createClientReader({ trustedProxies: ['10.0.0.0/8', '192.0.2.1', 'fd00::/8', '2001:db8::7'], publicUrl: PUBLIC })
const everything = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'http', 'x-forwarded-host': 'other.example', forwarded: 'for=203.0.113.8;proto=http;host=evil.example' }

await t.test('whoever is no trusted proxy is who it is, whatever it says', t => {
  for (const peer of ['198.51.100.1', '192.0.2.2', '11.0.0.1', '127.0.0.1', '::1', '2001:db8::8', 'fe80::1']) t.strictSame(read(peer, everything), { address: peer, ...OWN })
  t.strictSame(read(undefined, everything), { address: undefined, ...OWN })
  t.strictSame(createClientReader({ trustedProxies: [], publicUrl: 'http://localhost' })('127.0.0.1', everything), { address: '127.0.0.1', isProxy: false, proto: 'http', host: 'localhost' })
  t.end()
})

await t.test('a trusted proxy says who, by which scheme, and for which host', t => {
  const peers = [
    ['10.1.2.3', '10.1.2.3'], ['::ffff:10.1.2.3', '10.1.2.3'], ['::FFFF:10.1.2.3', '10.1.2.3'], ['192.0.2.1', '192.0.2.1'], ['fd12::1', 'fd12::1'],
    ['2001:db8::7', '2001:db8::7'], ['2001:0db8:0::7', '2001:0db8:0::7']
  ] as const
  for (const [peer, proxy] of peers) {
    t.strictSame(read(peer, everything), { address: '203.0.113.9', isProxy: false, proxy, proto: 'http', host: 'other.example' }, peer)
  }
  t.strictSame(read('10.1.2.3', {}), { address: '10.1.2.3', ...OWN, isProxy: true }, 'which may be many clients')
  t.strictSame(read('10.1.2.3', { forwarded: 'for=203.0.113.8;proto=http;host=evil.example' }), { address: '10.1.2.3', ...OWN, isProxy: true }, 'Forwarded is not read')
  t.end()
})

await t.test('the client is the nearest address that is no trusted proxy', t => {
  const lists: [string, string][] = [
    ['203.0.113.9', '203.0.113.9'], ['1.1.1.1, 203.0.113.9', '203.0.113.9'], ['1.1.1.1,203.0.113.9 , 10.9.9.9', '203.0.113.9'], ['10.1.1.1, 10.2.2.2', '10.1.1.1'], ['', '10.1.2.3'], [' , ,', '10.1.2.3'],
    ['203.0.113.9,', '203.0.113.9'], ['203.0.113.9:4711', '203.0.113.9'], ['2001:db8::9', '2001:db8::9'], ['[2001:db8::9]', '2001:db8::9'], ['[2001:db8::9]:4711', '2001:db8::9'], ['::ffff:203.0.113.9', '203.0.113.9'],
    ['fe80::1%eth0', 'fe80::1'], ['203.0.113.9, fd00::1', '203.0.113.9']
  ]
  for (const [list, address] of lists) t.equal(read('10.1.2.3', { 'x-forwarded-for': list }).address, address, list)
  t.end()
})

await t.test('what is no address ends the list, and what is no scheme or host is not passed on', t => {
  for (const garbage of ['unknown', '_hidden', '1.2.3', '1.2.3.4.5', '999.1.1.1', '1.2.3.4/8', '1.2.3.4 5', '"1.2.3.4"', '[1.2.3.4', '<script>', 'x\u009b31m', '::ffff:1.2.3', '%', ':80', '[]:80', 'a'.repeat(16_000)]) {
    t.equal(read('10.1.2.3', { 'x-forwarded-for': garbage }).address, '10.1.2.3', garbage.slice(0, 20))
    t.equal(read('10.1.2.3', { 'x-forwarded-for': `203.0.113.9, ${garbage}, 10.9.9.9` }).address, '10.9.9.9', garbage.slice(0, 20))
  }
  for (const proto of ['ftp', 'https:', 'javascript', 'http https', '', ' ']) t.equal(read('10.1.2.3', { 'x-forwarded-proto': proto }).proto, 'https', proto)
  t.equal(read('10.1.2.3', { 'x-forwarded-proto': 'https, HTTP' }).proto, 'http')
  for (const host of ['a b', 'a/b', 'user@x', 'x:port', 'x:123456', '[::1', '<x>', 'x?y', '', 'x'.repeat(254)]) t.equal(read('10.1.2.3', { 'x-forwarded-host': host }).host, OWN.host, host.slice(0, 20))
  for (const host of ['x', 'x.example:80', '[::1]:80', '127.0.0.1']) t.equal(read('10.1.2.3', { 'x-forwarded-host': `evil, ${host}` }).host, host)
  t.end()
})

await t.test('a traceparent counts from a trusted proxy alone, and in the form of version 00', t => {
  const [trace, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7']
  const good = `00-${trace}-${span}-01`
  t.equal(read('10.1.2.3', { traceparent: good }).trace, good)
  t.equal(read('198.51.100.1', { traceparent: good }).trace, undefined)
  const wrong = ['', `01-${trace}-${span}-01`, `00-${'0'.repeat(32)}-${span}-01`, `00-${trace}-${'0'.repeat(16)}-01`, good.toUpperCase(), `${good}-more`, `${good}, ${good}`, ` ${good}`, `${good}\n`, good.slice(0, -1)]
  for (const traceparent of wrong) t.equal(read('10.1.2.3', { traceparent }).trace, undefined, traceparent)
  t.end()
})

await t.test('long lists and arbitrary text give an address', t => {
  t.equal(read('10.1.2.3', { 'x-forwarded-for': '10.1.1.1,'.repeat(1_800) + '10.2.2.2' }).address, '10.1.1.1')
  t.equal(read('10.1.2.3', { 'x-forwarded-for': ','.repeat(16_000) }).address, '10.1.2.3')
  fc.assert(fc.property(fc.array(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6())), fc.string(), (list, text) => {
    const client = read('10.1.2.3', { 'x-forwarded-for': list.join(','), 'x-forwarded-proto': text, 'x-forwarded-host': text })
    return isIP(client.address as string) !== 0 && /^https?$/.test(client.proto) && /^[A-Za-z0-9._:[\]-]+$/.test(client.host)
  }))
  t.end()
})

await t.test('who came before is who it was, however many come', t => {
  const read = createClientReader({ trustedProxies: ['10.0.0.0/8'], publicUrl: PUBLIC })
  const peers = Array.from({ length: 12_000 }, (_, i) => `${i % 2 === 0 ? 10 : 11}.0.${i >> 8}.${i & 255}`)
  for (const peer of [...peers, ...peers.slice(-3), ...peers.slice(0, 3)]) {
    const expected = peer.startsWith('10.') ? '203.0.113.9' : peer
    if (read(peer, everything).address !== expected) t.fail(peer)
  }
  t.strictSame(read('10.0.0.2', { 'x-forwarded-for': '198.51.100.4' }).address, '198.51.100.4', 'a proxy speaks for another client each time')
  t.end()
})
