import t from 'tap'
import { readProvenance } from '../../../src/uploads/archive/provenance.ts'
import { provenanceOf } from '../../helpers/packages.ts'

const said = (name: string, version: string): { readonly name: string, readonly version: string } => ({ name, version })

await t.test('a provenance file names a chart, as YAML has it and as ChartMuseum reads it', t => {
  const one = said('mychart', '1.2.3')
  t.same(readProvenance(provenanceOf('mychart', '1.2.3')), { ok: true, meant: one, written: one, isOnly: true })
  t.match(readProvenance(provenanceOf('mychart', '1.2.3') + '\nname: y\nversion: 2.0.0\n'), { ok: true, meant: one, isOnly: true }, 'what follows the signature comes too late')
  const written: [name: string, version: string][] = [['"mychart"', "'1.2.3'"], ['mychart # mine', '"1.2.3" # x.y.z'], ['  mychart\t', '1.2.3\r']]
  for (const [name, version] of written) t.same(readProvenance(provenanceOf(name, version)), { ok: true, meant: one, written: said(name, version), isOnly: true }, name)
  for (const more of ['name: y', 'version: 2.0.0', 'apiVersion: v2\nname: sub\nversion: 1.0.0']) t.match(readProvenance(provenanceOf('mychart', `1.2.3\n${more}`)), { ok: true, meant: one, isOnly: false }, more)
  t.end()
})

await t.test('what is no provenance file, or names nothing that a chart can be, is none', t => {
  const good = provenanceOf('x', '1.0.0')
  const bad: [string, string, RegExp][] = [
    ['nothing', '', /not a signed message$/], ['text', 'hello', /not a signed message$/], ['a first line', '\n' + good, /not a signed message$/],
    ['a chart', '\x1f\ufffd\b', /send it to/],
    ['a name with a path', provenanceOf('../x', '1.0.0'), /no chart can have/], ['a version with a path', provenanceOf('x', '1.0.0/..'), /no chart can have/],
    ['no name', good.replace('\nname:', '\nother:'), /must name/], ['no version', good.replace('\nversion:', '\nother:'), /must name/],
    ['JSON', good.replace(/apiVersion[^]*1\.0\.0/, '{"name":"x","version":"1.0.0"}'), /must name/],
    ['a name behind the signature', good.replace('\nname: x', '') + '\nname: x\n', /must name/],
    ['a quote without an end', provenanceOf('"x', '1.0.0'), /no chart can have/],
    ['a line that goes on behind a line separator', provenanceOf('x\u2028y', '1.0.0'), /no chart can have/]
  ]
  for (const [name, text, detail] of bad) t.match(readProvenance(text), { ok: false, detail }, name)
  t.end()
})
