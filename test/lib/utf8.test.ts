import t from 'tap'
import { utf8Of } from '../../src/lib/utf8.ts'

void t.test('bytes are a text, or none', t => {
  t.equal(utf8Of(Buffer.from('schön')), 'schön')
  t.equal(utf8Of(Buffer.from('\ufeffx')), 'x', 'without a byte order mark')
  for (const bytes of [[0xf6], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) t.equal(utf8Of(Uint8Array.from(bytes)), undefined, String(bytes))
  t.end()
})
