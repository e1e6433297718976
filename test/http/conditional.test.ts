import t from 'tap'
import { acceptsGzip, knowsEtag, wantsPage } from '../../src/http/conditional.ts'

await t.test('an entity tag is known when it is in the list, weak or strong', t => {
  for (const header of ['"a"', 'W/"a"', ' "a" ', '"b", "a"', '"b",W/"a"', '*', ' * ', '"x,y", "a"', ',, "a" ,\t,', '"","a"', '"a","a"', '"b c","a"']) t.equal(knowsEtag(header, '"a"'), true, header)
  for (const header of [undefined, '', ' ', ',', 'a', '"A"', '"b"', '"ab"', '"a-gzip"', 'W/"b"', '"b*"', '"*"', '","']) t.equal(knowsEtag(header, '"a"'), false, header ?? 'none')
  t.end()
})

await t.test('what is no list of entity tags names none, wherever it breaks off', t => {
  for (const header of ['"a', 'a"', '"a,"a"', '"a""a"', '"a" "a"', '"a",b', 'b,"a"', '"a";', 'w/"a"', 'W/ "a"', 'W/,"a"', '*,"a"', '"a",*', '**', '"a", W/"a']) t.equal(knowsEtag(header, '"a"'), false, header)
  t.end()
})

await t.test('gzip is taken where it is named with a weight', t => {
  for (const header of ['gzip', 'GZIP', 'x-gzip', 'deflate, gzip', 'gzip, deflate, br', 'gzip;q=1', 'gzip; q=0.5', 'br;q=1.0, gzip;q=.1', 'gzip ;q=1.000', 'gzip;q=0.123456', 'br;q=0,gzip', '\tgzip\t']) t.equal(acceptsGzip(header), true, header)
  for (const header of ['', 'identity', 'gzip;q=0', 'gzip;q=0.0', 'gzip; q=0.000', 'gzipped', 'agzip', 'br', '*', 'gzip;q=x', 'gzip;q=', 'gzip;q=.', 'gzip;q=1.1', 'gzip;q=2', 'gzip;q=0.1.1', 'gzip;q=-1', 'gzip;q=1e-1', 'gzip;q', 'gzip;', 'gzip;level=1', 'gz ip']) t.equal(acceptsGzip(header), false, header)
  t.end()
})

void t.test('a browser is known by what it accepts', t => {
  for (const accept of ['text/html', 'text/html,application/xhtml+xml;q=0.9', 'image/*, TEXT/HTML;q=0.1']) t.equal(wantsPage(accept), true, accept)
  for (const accept of [undefined, '', '*/*', 'application/json', 'text/htmlx', 'text/plain']) t.equal(wantsPage(accept), false, accept ?? 'none')
  t.end()
})
