import t from 'tap'
import { createIndexWarnings } from '../../src/upstream/index-warnings.ts'
import { leftOut, type LeftOut } from '../../src/upstream/left-out.ts'

const entry = (name: string, link = 'https://elsewhere.example.test/x'): LeftOut => leftOut('leads_elsewhere', { name, version: '1' }, link)

await t.test('each that is left out is said once, as long as it is', t => {
  const said: string[] = []
  const hear = createIndexWarnings(({ tenant, chart, detail }) => { said.push(`${tenant} ${chart} ${detail.length > 10}`) })
  const heard = (tenant: string, ...all: LeftOut[]): string[] => {
    hear(tenant, all)
    return said.splice(0)
  }
  t.strictSame(heard('t'), [])
  t.strictSame(heard('t', entry('a'), entry('b'), entry('a')), ['t a true', 't b true'])
  t.strictSame(heard('t', entry('b'), entry('a'), entry('c')), ['t c true'])
  t.strictSame(heard('u', entry('a')), ['u a true'], 'for each tenant')
  t.strictSame(heard('t', entry('c')), [])
  t.strictSame(heard('t'), [])
  t.strictSame(heard('t', entry('c')), ['t c true'], 'it was right in between')
  t.end()
})

await t.test('so much is remembered and no more: who was read the longest ago is warned of again', t => {
  const said: string[] = []
  const hear = createIndexWarnings(({ tenant }) => { said.push(tenant) }, 4)
  const heard = (tenant: string, count: number): number => {
    hear(tenant, Array.from({ length: count }, (_, i) => entry(`c${i}`)))
    return said.splice(0).length
  }
  t.strictSame([heard('a', 2), heard('b', 2), heard('a', 2), heard('c', 2), heard('a', 2), heard('b', 2)], [2, 2, 0, 2, 0, 2])
  t.strictSame([heard('large', 9), heard('large', 9), heard('a', 2)], [9, 0, 2], 'of the last one all of it')
  t.end()
})

await t.test('a line of the log has a file and no credential, and stays one line', t => {
  const files: [link: string, file: string][] = [
    ['https://user:secret@cdn.example.test/a/b-1.tgz?sig=secret#secret', 'b-1.tgz'], ['https://user:secret@cdn.example.test', 'cdn.example.test'], ['https://user:se/cret@cdn.example.test', 'cdn.example.test'], ['//user:secret@x', 'x'], ['user:secret@x', 'x'],
    ['charts/a@b-1.tgz', 'a@b-1.tgz'], ['a@b-1.tgz', 'b-1.tgz'], ['https://x/a\u2028b\n.tgz', 'a\\u{2028}b\\u{a}.tgz'], ['', ''], [`https://x/${'y'.repeat(500)}`, 'y'.repeat(300)]
  ]
  for (const [link, file] of files) t.equal(entry('a', link).file, file, encodeURIComponent(link))
  t.match(leftOut('unreadable', { name: 'a\u202e', version: '1' }), { chart: 'a\\u{202e}', file: 'a\\u{202e}-1.tgz' })
  t.end()
})
