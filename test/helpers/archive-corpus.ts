// Charts made by hand, for chartgate and for Helm as its judge: in every form in which
// packers write them, harmless oddities among them, and with a second meaning that only some
// readers find.
import { paxEntry, paxRecords, rawTar, rawTgz, type RawEntry } from './archives.ts'
import { chartYaml } from './packages.ts'

export const YAML = chartYaml('x', '1.0.0')
export const CHART: RawEntry = { name: 'x/Chart.yaml', body: YAML }
export const OTHER: RawEntry = { name: 'x/Chart.yaml', body: chartYaml('other', '9.9.9') }

const VALUES: RawEntry = { name: 'x/values.yaml', body: 'a: 1' }
const LONG = `x/templates/${'folder/'.repeat(40)}a.yaml`
const globalHeader: RawEntry = { name: 'pax_global_header', type: 'g', body: paxRecords([['comment', 'c'.repeat(40)]]) }
const gnuLongName = (name: string): RawEntry => ({ name: '././@LongLink', type: 'L', body: name + '\0', magic: 'ustar  \0' })

const yaml = (body: string): Buffer => rawTgz([{ name: 'x/Chart.yaml', body }])

/** Each of them is the chart x 1.0.0. */
export const ORDINARY: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['plain', rawTgz([CHART, VALUES])],
  ['with folders', rawTgz([{ name: 'x/', type: '5', mode: 0o755 }, CHART, { name: 'x/templates', type: '5' }])],
  ['with a folder twice', rawTgz([{ name: 'x/', type: '5', mode: 0o755 }, CHART, { name: 'x', type: '5' }])],
  ['the type flag of old', rawTgz([{ ...CHART, type: '\0' }])],
  ['a mode with the file type in it', rawTgz([{ name: 'x/', type: '5', mode: 0o40755 }, { ...CHART, mode: 0o100644 }])],
  ['GNU tar', rawTgz([{ ...CHART, magic: 'ustar  \0' }])],
  ['a user with a number of GNU tar', rawTgz([{ ...CHART, magic: 'ustar  \0', patch: { 108: Buffer.from([0x80, 0, 0, 0, 0x49, 0x96, 0x02, 0xd2]) } }])],
  ['a long name in two fields', rawTgz([CHART, { name: 'a.yaml', patch: { 345: 'x/templates/' + 'folder/'.repeat(20) + 'a' } }])],
  ['a long name of GNU tar', rawTgz([CHART, gnuLongName(LONG), { name: 'x/cut', magic: 'ustar  \0' }])],
  ['a long name of pax', rawTgz([CHART, paxEntry(['path', LONG], ['mtime', '1700000000.5']), { name: 'x/cut' }])],
  ['a Chart.yaml named by pax', rawTgz([paxEntry(['path', 'x/Chart.yaml']), { ...CHART, name: 'x/cut' }])],
  ['a pax header without a name', rawTgz([paxEntry(['mtime', '1700000000.5']), CHART])],
  ['a pax header without a name of its own', rawTgz([{ ...paxEntry(['mtime', '1700000000.5']), name: '' }, CHART])],
  ['a name that is not ASCII', rawTgz([CHART, paxEntry(['path', 'x/\u00fc \u65e5']), { name: 'x/u' }])],
  ['the commit of git archive', rawTgz([globalHeader, CHART])],
  ['requirements of a v1 chart', rawTgz([CHART, { name: 'x/requirements.yaml', body: 'dependencies:\n- {name: y, version: 1.0.0}\n' }, { name: 'x/charts/y/Chart.yaml', body: chartYaml('y', '1.0.0') }])],
  ['requirements without any', rawTgz([CHART, { name: 'x/requirements.yaml', body: '# none\n' }])],
  ['a second Chart.yaml of a subchart', rawTgz([CHART, { name: 'x/charts/y/Chart.yaml', body: chartYaml('y', '2.0.0') }])],
  ['filled up to a record, as tar does', rawTgz([CHART], Buffer.alloc(10_240))],
  ['a byte order mark and CRLF', rawTgz([{ ...CHART, body: '\ufeff' + YAML.replaceAll('\n', '\r\n') }])]
]

/** So is each of these, in which readers differ, and not in how the chart is called. */
export const HARMLESS: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['the same file twice', rawTgz([CHART, { name: 'x/a' }, { name: 'x/a', body: 'b' }])],
  ['a file with the name of a folder', rawTgz([CHART, { name: 'x/a', type: '5' }, { name: 'x/a' }])],
  ['a file beside the folder, in one of its own', rawTgz([CHART, { name: 'y/a' }, { name: './._x' }])],
  ['packed in its own folder', rawTgz([{ name: './', type: '5' }, { ...CHART, name: './Chart.yaml' }, { name: './values.yaml' }])],
  ['backslashes all over', rawTgz([{ ...CHART, name: 'x\\Chart.yaml' }, { name: 'x\\templates\\a.yaml' }])],
  ['backslashes in templates', rawTgz([CHART, { name: 'x/templates\\a.yaml' }])],
  ['parts of names that are nothing', rawTgz([CHART, { name: 'x/./a//b' }])],
  ['a line end in a name', rawTgz([CHART, { name: 'x/a\nb' }])],
  ['a name that is not UTF-8', rawTgz([CHART, { name: 'x', patch: { 0: Buffer.from([0x78, 0x2f, 0xff, 0]) } }])],
  ['links', rawTgz([CHART, { name: 'x/l', type: '2', patch: { 157: '../../etc/passwd' } }, { name: 'x/h', type: '1', patch: { 157: 'x/Chart.yaml' } }])],
  ['a requirements.yaml that is a link', rawTgz([CHART, { name: 'x/requirements.yaml', type: '2' }])],
  ['a link with a long target', rawTgz([CHART, { name: 'long', type: 'K', body: `${'t'.repeat(300)}\0`, magic: 'ustar  \0' }, gnuLongName(LONG), { name: 'x/cut', type: '2', magic: 'ustar  \0' }])],
  ['a tar of 1979', rawTgz([{ ...CHART, magic: '' }])],
  ['a folder of 1979', rawTgz([{ name: 'x/', type: '\0', magic: '' }, { ...CHART, magic: '', type: '\0' }])],
  ['another version of the format', rawTgz([{ ...CHART, magic: 'ustar\x0001' }])],
  ['a magic that is nearly one', rawTgz([{ ...CHART, magic: 'ustar 00' }])],
  ['Schilling\'s tar', rawTgz([{ ...CHART, patch: { 476: '00000000001\0', 488: '00000000001\0', 508: 'tar\0' } }, { name: 'a', patch: { 345: 'x/b', 508: 'tar\0' } }])],
  ['a GNU header with times', rawTgz([{ ...CHART, magic: 'ustar  \0', patch: { 345: '00000000001\0', 357: '00000000001\0' } }])],
  ['a name of an old Go', rawTgz([CHART, { name: 'a', magic: 'ustar  \0', patch: { 345: 'x/templates' } }])],
  ['a GNU header with more in it', rawTgz([{ ...CHART, magic: 'ustar  \0', patch: { 386: '1' } }])],
  ['a size in base 256', rawTgz([{ ...CHART, patch: { 124: Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, YAML.length]) } }])],
  ['a time before 1970', rawTgz([{ ...CHART, patch: { 136: Buffer.alloc(12, 0xff) } }])],
  ['a sum of bytes with signs', rawTgz([CHART, { name: 'x', patch: { 0: Buffer.from([0x78, 0x2f, 0xff, 0]) }, signed: true }])],
  ['unknown types of files', rawTgz([CHART, ...['7', 'A', 'N', 'V'].map(type => ({ name: `x/${type}`, type, body: 'a' }))])],
  ['a file with the mode of a folder', rawTgz([CHART, { name: 'x/a', mode: 0o40644, body: 'a' }])],
  ['a size in a pax header that is the one', rawTgz([paxEntry(['size', String(YAML.length)]), CHART])],
  ['pax without times, and with strange keys', rawTgz([paxEntry(['atime', ''], ['uid', '+0000000000000000000001'], ['mtime', '-1.5'], ['a b', ''], ['LIBARCHIVE.xattr.a', 'a\0b']), CHART])],
  ['another character set of pax', rawTgz([paxEntry(['hdrcharset', 'BINARY']), CHART])],
  ['a megabyte of pax', rawTgz([paxEntry(['SCHILY.xattr.a', 'a'.repeat(1024 * 1024 - 50)]), CHART])],
  ['the same name of pax twice', rawTgz([paxEntry(['path', 'x/Chart.yaml'], ['path', 'x/Chart.yaml']), CHART])],
  ['odd things for all files', rawTgz([{ type: 'g', body: paxRecords([['mtime', 'abc']]) }, CHART])],
  ['a sparse file of pax', rawTgz([CHART, paxEntry(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0'], ['GNU.sparse.name', 'x/s'], ['GNU.sparse.realsize', '3']), { name: 'x/GNUSparseFile.1/s', body: '1\n0\n3\n'.padEnd(512, '\0') + 'abc' }])],
  ['a sparse file of pax, in its first form', rawTgz([CHART, paxEntry(['GNU.sparse.size', '3'], ['GNU.sparse.numblocks', '1'], ['GNU.sparse.offset', '0'], ['GNU.sparse.numbytes', '3']), { name: 'x/s', body: 'abc' }])],
  ['a sparse file that only others know', rawTgz([CHART, paxEntry(['GNU.sparse.name', 'x/t'], ['GNU.sparse.major', '7']), { name: 'x/s', body: 'abc' }])],
  ['sparse files of GNU', rawTgz([CHART, { name: 'x/s', type: 'S', magic: 'ustar  \0', body: 'abc', patch: { 386: '00000000000\x0000000000003\0', 483: '00000000003\0' } }])],
  ['a sparse file of GNU with a long map', rawTgz([CHART, { name: 'x/s', type: 'S', magic: 'ustar  \0', body: Buffer.concat([Buffer.from('00000000000\x0000000000003'.padEnd(504, '\0') + '\x01'.padEnd(520, '\0')), Buffer.from('abc')]), size: 3, patch: { 482: '\x01', 483: '00000000003\0' } }])],
  ['zeros behind the end, and no whole block', rawTgz([CHART], Buffer.alloc(1100))],
  ['12,000 files', rawTgz([CHART, ...Array.from({ length: 12_000 }, (_, i) => ({ name: `x/files/${i}` }))])],
  ['a key twice', yaml(YAML + 'home: a\nhome: b\n')],
  ['a merge, an anchor, a tag, a number as a key', yaml(YAML + 'annotations: &a {b: !!str 1}\n<<: {home: a}\n1: 2\n')],
  ['two documents', yaml(`${YAML}---\n${chartYaml('other', '9.9.9')}`)],
  ['a document and an end', yaml(`${YAML}---\n`)],
  ['a name with an anchor and a tag', yaml('apiVersion: v2\n!!str name: &x !!str x\n"version": !!str 1.0.0\n')],
  ['line ends of YAML 1.1 in texts', yaml(YAML + 'home: "a\u2028b\u0085c"\n')],
  ['UTF-16', rawTgz([{ ...CHART, body: Buffer.from(`\ufeff${YAML}`, 'utf16le') }])],
  ['a requirements.yaml with a key twice', rawTgz([CHART, { name: 'x/requirements.yaml', body: 'dependencies: []\ndependencies: []\n' }])]
]

export interface Ambiguous {
  readonly what: string
  readonly bytes: Buffer
  /** What Helm finds in it. */
  readonly helm: { readonly name: string, readonly version: string }
}

const requirements = (body: string): Buffer => rawTgz([CHART, { name: 'x/requirements.yaml', body }])
const other = { name: 'other', version: '9.9.9' }

/** At first sight each of them is the chart x 1.0.0, or no chart at all. */
export const AMBIGUOUS: readonly Ambiguous[] = [
  { what: 'two Chart.yaml', bytes: rawTgz([CHART, OTHER]), helm: other },
  { what: 'two spellings of one name', bytes: rawTgz([CHART, { ...OTHER, name: 'x/./a/../Chart.yaml' }]), helm: other },
  { what: 'a backslash for a slash', bytes: rawTgz([CHART, { ...OTHER, name: 'x\\Chart.yaml' }]), helm: other },
  { what: 'two folders', bytes: rawTgz([CHART, { ...OTHER, name: 'y/Chart.yaml' }]), helm: other },
  { what: 'a name of pax and one of GNU', bytes: rawTgz([paxEntry(['path', 'x/Chart.yaml']), gnuLongName('x/a'), { ...CHART, name: 'x/b' }, paxEntry(['path', 'x/c']), gnuLongName('x/Chart.yaml'), { ...OTHER, name: 'x/d' }]), helm: other },
  { what: 'a global header behind a name', bytes: rawTgz([paxEntry(['path', 'x/Chart.yaml']), globalHeader, { ...CHART, name: 'x/a' }, paxEntry(['path', 'x/b']), globalHeader, OTHER]), helm: other },
  { what: 'a name for all files', bytes: rawTgz([{ type: 'g', body: paxRecords([['path', 'x/a']]) }, paxEntry(['mtime', '1']), OTHER, paxEntry(['path', 'x/c']), CHART]), helm: other },
  { what: 'an empty extended header', bytes: rawTgz([{ type: 'x' }, { name: 'x/a', body: 'a'.repeat(512) }, OTHER]), helm: other },
  { what: 'a sparse file of pax', bytes: rawTgz([paxEntry(['GNU.sparse.major', '0'], ['GNU.sparse.minor', '1'], ['GNU.sparse.name', 'x/Chart.yaml'], ['GNU.sparse.numblocks', '1'], ['GNU.sparse.map', `0,${String(OTHER.body).length}`], ['GNU.sparse.size', String(String(OTHER.body).length)]), { ...OTHER, name: 'x/a' }]), helm: other },
  { what: 'a size in a pax header', bytes: rawTgz([paxEntry(['size', String(String(OTHER.body).length)]), { ...OTHER, size: 0 }]), helm: other },
  { what: 'a prefix that another version of the format does not have', bytes: rawTgz([{ ...OTHER, magic: 'ustar  x', patch: { 345: 'y/a' } }]), helm: other },
  { what: 'an end in the middle', bytes: rawTgz([OTHER], Buffer.concat([Buffer.alloc(1024), rawTar([CHART])])), helm: other },
  { what: 'a key in other letters', bytes: yaml('apiVersion: v2\nNAME: x\nname: other\nVersion: 1.0.0\nversion: 9.9.9\n'), helm: other },
  { what: 'a key with a long s', bytes: yaml('apiVersion: v2\nname: x\nver\u017fion: 9.9.9\nversion: ""\n'), helm: { name: 'x', version: '9.9.9' } },
  { what: 'a key twice', bytes: yaml(YAML + 'name: other\nversion: 9.9.9\n'), helm: other },
  { what: 'a line end of YAML 1.1', bytes: yaml(YAML + 'home: a\u2028name: other\nicon: b\u0085version: 9.9.9\n'), helm: other },
  { what: 'a carriage return alone', bytes: yaml(YAML + 'home: a\rname: other\nicon: b\rversion: 9.9.9\n'), helm: other },
  { what: 'marks before which Go passes over letters', bytes: yaml('\ufeff\ufeff\ufeff# c\n#name: other\n#version: 9.9.9\nname: x\nversion: 1.0.0\n'), helm: other },
  { what: 'a merge', bytes: yaml('apiVersion: v2\nname: x\nversion: 1.0.0\n<<: {name: other, version: 9.9.9}\n'), helm: other },
  { what: 'a tag', bytes: yaml('apiVersion: v2\nname: !!binary b3RoZXI=\nversion: 9.9.9\n'), helm: other },
  { what: 'a number', bytes: yaml('apiVersion: v2\nname: x\nversion: 1.10\n'), helm: { name: 'x', version: '1.1' } },
  { what: 'a number in base eight', bytes: yaml('apiVersion: v2\nname: 0o17\nversion: 1.0.0\n'), helm: { name: '15', version: '1.0.0' } },
  { what: 'a name in requirements.yaml', bytes: requirements('name: other\nVERSION: 9.9.9\n'), helm: other }
]
