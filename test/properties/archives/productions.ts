// Archives by chance, each kind in its own way, ordinary and odd: everything that Go's readers
// look at (archive/tar, compress/gzip, go-yaml) in values that they take and values that
// they do not. All of them are at first sight the chart x 1.0.0, or something like it.
import { gzipSync } from 'node:zlib'
import { CHART, OTHER, YAML } from '../../helpers/archive-corpus.ts'
import { paxEntry, paxRecords, rawEntry, rawTar, rawTgz, TAR_END, type RawEntry } from '../../helpers/archives.ts'
import type { Random } from '../neighbours/random.ts'
import { yamlByChance } from './yaml.ts'

export interface Production {
  readonly name: string
  make (random: Random): Buffer
}

const chartOf = (text: string | Buffer): Buffer => rawTgz([{ name: 'x/Chart.yaml', body: text }])
const several = (random: Random, most: number, make: () => string): string => Array.from({ length: random.between(1, most) }, make).join('')

const SCALAR_PIECES = [...'0123456789_.+-eExXoObB', '0x', '0b', '0o', '1e', '.5', '00', 'inf', 'nan', 'true', 'yes', 'null', '~', '2001-01-01', '1.0.0', '9223372036854775808', 'a', '-rc.1', '+b']
const FIELDS = ['name', 'version', 'appVersion', 'apiVersion', 'home', 'description', 'type']
const TAGS = ['!!str ', '!!int ', '!!float ', '!!bool ', '!!null ', '!!binary ', '!!timestamp ', '! ', '!own ', '!<tag:yaml.org,2002:str> ', '!!map ', '!e!a ', '!<x> ']
const TEXTS = ['x', '1.0.0', '12', 'true', '~', 'eA==', 'MS4wLjA=', '"x"', '\'1.0.0\'', '2001-01-01', '0x1', '']
const LINE_ENDS = ['\n', '\r\n', '\r', '\u0085', '\u2028', '\u2029', '\n\ufeff', '\n']
const KEYS = ['name', 'version', 'Name', 'VERSION', 'ver\u017fion', '"name"', '!!str name', '!!binary bmFtZQ==', '? name\n', '1', '~', 'true', '[a]', '{a: b}', '<<', '&k name', 'home', 'icon', '1.5', '18446744073709551615']

/** Lines of a Chart.yaml, in some order, one of them replaced or another one put in. */
function lines (random: Random, odd: string): string {
  const all = YAML.trimEnd().split('\n')
  const at = random.below(all.length + 1)
  all.splice(at, random.percent(40) ? 1 : 0, odd)
  return `${all.join('\n')}\n`
}

const YAML_PRODUCTIONS: readonly Production[] = [
  { name: 'scalars', make: random => chartOf(YAML.replace(new RegExp(`^${random.pick(['name', 'version'])}: .*$`, 'm'), line => `${line.split(':')[0] ?? ''}: ${several(random, 4, () => random.pick(SCALAR_PIECES))}`)) },
  { name: 'scalars in other fields', make: random => chartOf(lines(random, `${random.pick(FIELDS)}: ${several(random, 4, () => random.pick(SCALAR_PIECES))}`)) },
  { name: 'tags', make: random => chartOf(YAML.replace(/^(name|version): (.*)$/gm, (_, key: string, value: string) => random.percent(50) ? `${random.percent(20) ? random.pick(TAGS) : ''}${key}: ${random.pick(TAGS)}${random.percent(50) ? value : random.pick(TEXTS)}` : `${key}: ${value}`)) },
  { name: 'anchors', make: random => chartOf(lines(random, random.pick(['home: &a x', 'home: &a', 'icon: *a', 'home: &a b\nicon: *a', 'annotations: &a {b: *a}', 'name: *n', 'home: &n x\nicon: *n', 'keywords: [&a b, *a]', '*a : b', '&a home: *a', 'annotations: &a {b: c}\n<<: *a', 'home: & a', 'home: &a&b c']))) },
  { name: 'merges', make: random => chartOf(lines(random, `${random.pick(['<<', '"<<"', '!!merge <<', '! <<', '!!str <<'])}: ${random.pick(['{home: a}', '{name: y}', '{version: 2.0.0}', '[{home: a}, {icon: b}]', '[{name: y}]', 'x', '[x]', '{}', '[]', '', '*a', '{<<: {home: b}}', '&a {home: *a}', '"<<"'])}`)) },
  { name: 'duplicates', make: random => chartOf(lines(random, `${random.pick(FIELDS)}: ${random.pick(['x', '1.0.0', 'application', 'v2', '2.0.0', '"x"'])}`)) },
  { name: 'keys', make: random => chartOf(lines(random, `${random.pick(KEYS)}: ${random.pick(['x', '1.0.0', 'a', '[a]'])}`)) },
  { name: 'documents', make: random => chartOf(several(random, 4, () => random.pick([YAML, '---\n', '...\n', '--- ', 'name: y\n', '%YAML 1.1\n', '%YAML 1.2\n', '%TAG ! a\n', '# c\n', '[', '\t']))) },
  { name: 'line ends', make: random => chartOf(YAML.replace(/\n/g, () => random.percent(30) ? random.pick(LINE_ENDS) : '\n') + (random.percent(30) ? `a: "b${random.pick(LINE_ENDS)} c"\n` : '')) },
  { name: 'line ends in comments and blocks', make: random => chartOf(lines(random, `${random.pick(['# ', 'home: ', 'home: |\n  ', 'home: "', 'home: >-\n  '])}a${random.pick(LINE_ENDS)}${random.pick(['name: y', 'version: 2.0.0', '  name: y', 'icon: b', 'b"', ' c'])}`)) },
  {
    name: 'encodings',
    make: random => {
      const text = Buffer.from(random.percent(50) ? YAML : lines(random, 'home: "\u{1f600}\u00e9"'), 'utf16le')
      const encoded = random.pick([Buffer.concat([Buffer.from([0xff, 0xfe]), text]), Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(text).swap16()]), text, Buffer.from(`\ufeff${YAML}`), Buffer.from(`\ufeff\ufeff${YAML}`), Buffer.from(`\ufeff\ufeff\ufeff${YAML}`)])
      const bytes = Buffer.from(encoded)
      for (let i = random.below(3); i > 0; i--) bytes[random.below(bytes.length)] = random.below(256)
      return chartOf(random.percent(10) ? bytes.subarray(0, -1) : bytes)
    }
  },
  {
    name: 'bytes in YAML',
    make: random => {
      const bytes = Buffer.from(YAML)
      for (let i = random.between(1, 3); i > 0; i--) bytes[random.below(bytes.length)] = random.below(256)
      return chartOf(bytes)
    }
  },
  { name: 'flow and JSON', make: random => chartOf(`{${random.pick(['"name": "x"', 'name: x', '"name":"x"', '? name : x', 'name'])}, ${random.pick(['"version": "1.0.0"', 'version: 1.0.0', '"version":1.0.0', 'version: [1]'])}${several(random, 4, () => random.pick([', ', ',', 'a', '"a": [1, {"b": 2}]', 'a: b', '[', ']', '{', '}', '? ', ':', '\n', '# c\n', '"a":1']))}}`) },
  { name: 'YAML by chance', make: random => chartOf(random.percent(50) ? YAML + yamlByChance(random) : lines(random, yamlByChance(random))) },
  {
    name: 'levels',
    make: random => chartOf(YAML + random.pick([
      () => `a: ${'['.repeat(random.between(1, 120))}${']'.repeat(random.between(1, 120))}\n`,
      () => `a:\n${Array.from({ length: random.between(1, 120) }, (_, i) => `${' '.repeat(i + 1)}b:`).join('\n')}\n`,
      () => `${Array.from({ length: random.between(1, 40) }, (_, i) => `a${i}: &a${i} [${i === 0 ? '' : `*a${i - 1}, *a${i - 1}`}]`).join('\n')}\n`
    ])())
  },
  { name: 'long keys', make: random => chartOf(YAML + `${random.pick(['', '"', '\''])}${random.pick(['k', '\u{1f600}', '\u00e9']).repeat(random.between(1010, 1030))}${random.pick(['', '"', '\''])}: a\n`) },
  { name: 'requirements', make: random => rawTgz([CHART, { name: 'x/requirements.yaml', body: random.pick([() => '', () => 'dependencies: []\n', () => lines(random, 'dependencies: []'), () => yamlByChance(random), () => `${random.pick(KEYS)}: x\n`])() }]) }
]

const MAGICS = ['ustar\x0000', 'ustar  \0', 'ustar\x0001', 'ustar 00', 'ustar  x', '\0\0\0\0\0\0\0\0', 'other\x0000', 'ustar\0  ']
const NAMES = ['x/values.yaml', 'x/Chart.yaml', './Chart.yaml', 'x\\Chart.yaml', 'x/./Chart.yaml', 'x//Chart.yaml', 'y/Chart.yaml', 'x/chart.yaml', 'x/requirements.yaml', 'x', '', '.', './x', 'x/', 'x/.', '/x/a', 'x/a\nb', 'x/..a', 'x/../a', 'x/a/..', '..', 'C:/x', 'x/C:/a', 'C:\\x\\a', 'x/a\\b', 'x\\a/b', 'x/a\\Chart.yaml', 'Chart.yaml/a', 'pax_global_header', 'x/charts/y/Chart.yaml', 'x/templates/a.yaml', '\\a', 'x\\', 'x/caf\u00e9']
const NUMBERS = ['0000644\0', '644', '  644 \0', '644 \0 ', '\x00644', '0000644 ', 'x', '+644', '-644', '6 44', '64\x0044', '888', '', '\x80\0\0\0\0\0\0\x05', '\xff\xff\xff\xff\xff\xff\xff\xff', '\x81\0\0\0\0\0\0\0', '0x1', '1_0']
const PAX_KEYS = ['path', 'linkpath', 'size', 'uid', 'gid', 'uname', 'gname', 'mtime', 'atime', 'ctime', 'charset', 'hdrcharset', 'comment', 'SCHILY.xattr.a', 'LIBARCHIVE.creationtime', 'GNU.sparse.major', 'GNU.sparse.minor', 'GNU.sparse.name', 'GNU.sparse.realsize', 'GNU.sparse.size', 'GNU.sparse.map', 'GNU.sparse.numblocks', 'GNU.sparse.offset', 'GNU.sparse.numbytes', '', 'a b', 'a\0b', 'RHT.security.selinux']
const PAX_VALUES = ['', '0', '1', '12', '-1', '+5', '1.5', '-1.5', '1.', '.5', '1.x', '1e3', 'abc', 'a\0b', '99999999999', '99999999999999999999', '0,3', 'x/Chart.yaml', 'x/a', 'x/values.yaml', 'BINARY', 'ISO-IR 10646 2000 UTF-8', String(YAML.length), '\u00e9', 'a=b', 'a\nb']

function paxByChance (random: Random): RawEntry {
  const records = Array.from({ length: random.between(1, 3) }, (): [string, string] => [random.pick(PAX_KEYS), random.pick(PAX_VALUES)])
  return paxEntry(...records)
}

function header (random: Random, entry: RawEntry = CHART): RawEntry {
  return { ...entry, magic: random.pick(MAGICS) }
}

const NUMBER_PLACES = [[100, 8], [108, 8], [116, 8], [124, 12], [136, 12], [329, 8], [337, 8], [345, 12], [357, 12], [476, 12], [488, 12]] as const

const TAR_PRODUCTIONS: readonly Production[] = [
  { name: 'pax keys', make: random => rawTgz(random.percent(50) ? [paxByChance(random), CHART] : [CHART, paxByChance(random), { name: 'x/a', body: 'abc' }]) },
  {
    name: 'pax forms',
    make: random => {
      const body = several(random, 3, () => random.pick([paxRecords([['a', 'b']]), '5 a=\n', '6 a=b\n', '+6 a=b\n', '06 a=b\n', '4 a=\n', '6 =ab\n', '6 ab\n\n', '6  a=\n', '7 a=b\n\n', '99 a=b\n', '-6 a=b\n', '6 a=bc', 'a=b\n', '0 \n', '\0', '6\ta=b\n', paxRecords([['path', 'x/Chart.yaml']])]))
      return rawTgz([{ name: 'p', type: 'x', body }, CHART])
    }
  },
  {
    name: 'two extended headers',
    make: random => {
      const one = (): RawEntry => random.pick([paxEntry(['path', random.pick(NAMES) || 'x']), paxEntry(['mtime', '1']), { name: 'L', type: 'L', body: `${random.pick(NAMES)}\0` }, { name: 'K', type: 'K', body: 'x/t\0' }, { name: 'g', type: 'g', body: paxRecords([['comment', 'c']]) }, { name: 'x/a' }])
      return rawTgz([one(), one(), CHART, ...(random.percent(50) ? [one(), { name: 'x/b' }] : [])])
    }
  },
  { name: 'global headers', make: random => rawTgz([{ name: 'pax_global_header', type: 'g', body: paxRecords([[random.pick(PAX_KEYS), random.pick(PAX_VALUES)]]) }, CHART]) },
  { name: 'long names of GNU', make: random => rawTgz([CHART, { name: '././@LongLink', type: random.pick(['L', 'K']), body: random.pick(['x/a\0', 'x/a', 'x/Chart.yaml\0', '\0', `x/${'n'.repeat(300)}\0`, 'x/a\0b', '', '../a\0']), magic: 'ustar  \0' }, { name: 'x/c', magic: 'ustar  \0' }]) },
  {
    name: 'numbers of headers',
    make: random => {
      const [at, length] = random.pick(NUMBER_PLACES)
      const text = random.pick(NUMBERS)
      return rawTgz([{ ...header(random, random.percent(50) ? CHART : { name: 'x/a' }), patch: { [at]: Buffer.from(text.padEnd(length, random.pick(['\0', ' ', '0'])).slice(0, length), 'latin1'), ...(random.percent(20) ? { 508: 'tar\0' } : {}) } }, ...(random.percent(50) ? [CHART] : [])])
    }
  },
  { name: 'forms of headers', make: random => rawTgz([{ ...header(random), patch: { ...(random.percent(50) ? { 345: random.pick(['y', 'x', 'x/a', 'x'.repeat(131), '00000000001\0', '\xff']) } : {}), ...(random.percent(40) ? { 476: random.pick(['1', 'z', '00000000001\0', '']) } : {}), ...(random.percent(40) ? { 508: random.pick(['tar\0', 'tar', 'x']) } : {}) } }, ...(random.percent(30) ? [CHART] : [])]) },
  { name: 'types', make: random => rawTgz([random.percent(70) ? CHART : header(random), { name: random.pick(['x/a', 'x/a/', 'x/Chart.yaml', 'x/requirements.yaml']), type: random.pick([...'01234567ABDLMNSVXgKx', '\0', ' ', '\xff']), mode: random.pick([0o644, 0o40755, 0o100644, 0o120777, 0o755, 0o140644]), body: random.percent(30) ? 'a: b' : '', magic: random.pick(MAGICS) }, ...(random.percent(50) ? [{ name: 'x/b' }] : [])]) },
  { name: 'types of Chart.yaml', make: random => rawTgz([{ ...CHART, type: random.pick([...'0127S5', '\0', 'A']), mode: random.pick([0o644, 0o40755, 0o100644]), magic: random.pick(MAGICS) }]) },
  { name: 'names', make: random => rawTgz([...(random.percent(70) ? [CHART] : []), ...Array.from({ length: random.between(1, 3) }, (): RawEntry => ({ name: random.pick(NAMES), body: random.percent(50) ? YAML : '', type: random.percent(80) ? '0' : random.pick(['5', '2', '\0']) }))]) },
  { name: 'names in two fields', make: random => rawTgz([CHART, { name: random.pick(NAMES), magic: random.pick(MAGICS), patch: { 345: random.pick(NAMES) } }]) },
  { name: 'two Chart.yaml', make: random => rawTgz([{ ...CHART, name: random.pick(NAMES) }, { ...(random.percent(50) ? OTHER : CHART), name: random.pick(NAMES) }]) },
  { name: 'sizes', make: random => rawTgz([{ ...CHART, size: YAML.length + random.pick([0, 0, 0, 1, -1, 512, -512 + 443, 5 * 1024 * 1024]) }, ...(random.percent(50) ? [{ name: 'x/a' }] : [])]) },
  { name: 'sizes of pax', make: random => rawTgz([paxEntry(['size', String(random.pick([YAML.length, 0, 1, 512, -1]))]), random.percent(50) ? CHART : { ...CHART, size: 0 }]) },
  {
    name: 'sparse files',
    make: random => rawTgz([CHART, random.pick([
      paxEntry(['GNU.sparse.major', random.pick(['0', '1', '2'])], ['GNU.sparse.minor', random.pick(['0', '1'])], ['GNU.sparse.name', random.pick(['x/s', 'x/Chart.yaml', ''])], ['GNU.sparse.size', random.pick(['3', '0', '9', 'a'])], ['GNU.sparse.numblocks', random.pick(['1', '0', 'a'])], ['GNU.sparse.map', random.pick(['0,3', '', '0', '0,9', 'a,b'])]),
      { name: 'x/a' }
    ]), { name: 'x/b', type: random.pick(['0', 'S']), magic: random.pick(['ustar  \0', 'ustar\x0000']), body: random.pick(['abc', '1\n0\n3\n'.padEnd(512, '\0') + 'abc', '']), patch: random.percent(50) ? { 386: '00000000000\x0000000000003\0', 483: '00000000003\0' } : {} }])
  },
  {
    name: 'sums',
    make: random => {
      const bytes = rawTar([CHART])
      bytes.write(random.pick(['0', '7', ' ', '\0', 'x', '1']), random.between(148, 155), 'latin1')
      return gzipSync(bytes)
    }
  },
  { name: 'ends', make: random => gzipSync(Buffer.concat([rawEntry(CHART), ...Array.from({ length: random.between(0, 3) }, () => random.pick([Buffer.alloc(512), Buffer.alloc(1024), Buffer.alloc(100), rawEntry(OTHER), Buffer.from('junk'), TAR_END]))])) },
  {
    name: 'cut archives',
    make: random => {
      const bytes = rawTar([CHART, { name: 'x/a', body: 'abc' }])
      return gzipSync(bytes.subarray(0, random.percent(30) ? bytes.length : random.between(bytes.length - 2048, bytes.length)))
    }
  },
  {
    name: 'bytes of headers',
    make: random => {
      const bytes = rawTar([{ name: 'x/', type: '5' }, CHART, paxEntry(['path', 'x/longer']), { name: 'x/a', body: 'a' }])
      const at = random.pick([0, 512, 1536, 2560])
      bytes[at + random.below(512)] = random.below(256)
      bytes.fill(' ', at + 148, at + 156)
      const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0)
      bytes.write(sum.toString(8).padStart(6, '0') + '\0 ', at + 148, 'latin1')
      return gzipSync(bytes)
    }
  }
]

const GZIP_PRODUCTIONS: readonly Production[] = [
  {
    name: 'members',
    make: random => {
      const tar = rawTar([CHART])
      const at = random.below(tar.length)
      return random.pick([() => gzipSync(tar), () => Buffer.concat([gzipSync(tar.subarray(0, at)), gzipSync(tar.subarray(at))]), () => Buffer.concat([gzipSync(tar), gzipSync('')]), () => Buffer.concat([gzipSync(tar), Buffer.alloc(random.between(1, 20))]), () => Buffer.concat([gzipSync(tar), Buffer.from('junk')]), () => Buffer.concat([gzipSync(''), gzipSync(tar)])])()
    }
  },
  {
    name: 'headers of gzip',
    make: random => {
      const plain = rawTgz([CHART])
      const flags = random.pick([0, 0, 1, 2, 4, 8, 16, 12, 32, 64])
      const extra = Buffer.concat([
        ...(flags & 4 ? [Buffer.from([3, 0, 1, 2, 3])] : []), ...(flags & 8 ? [Buffer.from('name\0')] : []), ...(flags & 16 ? [Buffer.from('comment\0')] : []), ...(flags & 2 ? [Buffer.from([random.below(256), 0])] : [])
      ])
      const bytes = Buffer.concat([plain.subarray(0, 10), extra, plain.subarray(10)])
      bytes[3] = flags
      if (random.percent(20)) bytes[random.pick([0, 1, 2])] = random.below(256)
      if (random.percent(30)) bytes[random.between(4, 9)] = random.below(256)
      return bytes
    }
  },
  {
    name: 'ends of gzip',
    make: random => {
      const bytes = Buffer.from(rawTgz([CHART]))
      if (random.percent(60)) bytes[bytes.length - random.between(1, 12)] = random.below(256)
      return random.percent(30) ? bytes.subarray(0, -random.between(1, 20)) : bytes
    }
  }
]

export const PRODUCTIONS: readonly Production[] = [...YAML_PRODUCTIONS, ...TAR_PRODUCTIONS, ...GZIP_PRODUCTIONS]
