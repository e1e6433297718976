// Charts made by hand, for chartgate and for Helm as its judge: in every form in which
// packers write them, and with a second meaning that only some readers find.
import { paxEntry, paxRecords, rawTar, rawTgz, type RawEntry } from './archives.ts'
import { chartYaml } from './packages.ts'

export const YAML = chartYaml('x', '1.0.0')
export const CHART: RawEntry = { name: 'x/Chart.yaml', body: YAML }
export const OTHER: RawEntry = { name: 'x/Chart.yaml', body: chartYaml('other', '9.9.9') }

const VALUES: RawEntry = { name: 'x/values.yaml', body: 'a: 1' }
const LONG = `x/templates/${'folder/'.repeat(40)}a.yaml`
const globalHeader: RawEntry = { name: 'pax_global_header', type: 'g', body: paxRecords([['comment', 'c'.repeat(40)]]) }
const gnuLongName = (name: string): RawEntry => ({ name: '././@LongLink', type: 'L', body: name + '\0', magic: 'ustar  \0' })

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

export interface Ambiguous {
  readonly what: string
  readonly bytes: Buffer
  /** What Helm finds in it. */
  readonly helm: { readonly name: string, readonly version: string }
}

const yaml = (body: string): Buffer => rawTgz([{ name: 'x/Chart.yaml', body }])
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
  { what: 'a merge', bytes: yaml('apiVersion: v2\nname: x\nversion: 1.0.0\n<<: {name: other, version: 9.9.9}\n'), helm: other },
  { what: 'a tag', bytes: yaml('apiVersion: v2\nname: !!binary b3RoZXI=\nversion: 9.9.9\n'), helm: other },
  { what: 'a number', bytes: yaml('apiVersion: v2\nname: x\nversion: 1.10\n'), helm: { name: 'x', version: '1.1' } },
  { what: 'a number in base eight', bytes: yaml('apiVersion: v2\nname: 0o17\nversion: 1.0.0\n'), helm: { name: '15', version: '1.0.0' } },
  { what: 'a name in requirements.yaml', bytes: requirements('name: other\nVERSION: 9.9.9\n'), helm: other }
]
