import t from 'tap'
import { acceptsGzip, knowsEtag } from '../../src/http/conditional.ts'

await t.test('an entity tag is known when it is in the list, weak or strong', t => {
  for (const header of ['"a"', 'W/"a"', ' "a" ', '"b", "a"', '"b",W/"a"', '*', '"x,y", "a"']) t.equal(knowsEtag(header, '"a"'), true, header)
  for (const header of ['', 'a', '"A"', '"a', '"b"', '"ab"', '"a-gzip"', 'w/"b"', '**', '"b*"']) t.equal(knowsEtag(header, '"a"'), false, header)
  t.end()
})

await t.test('gzip is taken where it is named with a weight', t => {
  for (const header of ['gzip', 'GZIP', 'x-gzip', 'deflate, gzip', 'gzip, deflate, br', 'gzip;q=1', 'gzip; q=0.5', 'br;q=1.0, gzip;q=.1', 'gzip ;q=1.000']) t.equal(acceptsGzip(header), true, header)
  for (const header of ['', 'identity', 'gzip;q=0', 'gzip;q=0.0', 'gzip; q=0.000', 'gzipped', 'agzip', 'br', '*', 'gzip;q=x']) t.equal(acceptsGzip(header), false, header)
  t.end()
})
