import t from 'tap'
import { readProvenance } from '../../../src/uploads/archive/provenance.ts'
import { provenanceOf } from '../../helpers/packages.ts'

await t.test('a provenance file names one chart, as ChartMuseum reads it', t => {
  t.same(readProvenance(provenanceOf('mychart', '1.2.3')), { ok: true, name: 'mychart', version: '1.2.3' })
  t.same(readProvenance(provenanceOf('mychart', '1.2.3') + '\nname: y\nversion: 2.0.0\n'), { ok: true, name: 'mychart', version: '1.2.3' }, 'what follows the signature comes too late')
  const good = provenanceOf('x', '1.0.0')
  const bad: [string, string][] = [
    ['nothing', ''], ['text', 'hello'], ['a first line', '\n' + good],
    ['a name with a path', provenanceOf('../x', '1.0.0')], ['a version with a path', provenanceOf('x', '1.0.0/..')],
    ['two names', provenanceOf('x', '1.0.0\nname: y')], ['two versions', provenanceOf('x', '1.0.0\nversion: 2.0.0')],
    ['no name', good.replace('\nname:', '\nother:')], ['no version', good.replace('\nversion:', '\nother:')],
    ['a name behind the signature', good.replace('\nname: x', '') + '\nname: x\n'],
    // ChartMuseum takes these as they stand for the name of a file
    ['quotes', provenanceOf('"x"', '1.0.0')], ['a space', provenanceOf('x ', '1.0.0')], ['CRLF', good.replaceAll('\n', '\r\n')],
    ['a line that goes on behind a line separator', provenanceOf('x\u2028y', '1.0.0')]
  ]
  for (const [name, text] of bad) t.equal(readProvenance(text).ok, false, name)
  t.end()
})
