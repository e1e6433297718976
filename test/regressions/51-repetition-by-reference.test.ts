// Class 51: what is small as it is sent and large as it is read. An alias is one value and a
// text of half a megabyte, an archive in an archive a thousand times its size, a name a
// megabyte of slashes: 800 bytes kept everybody waiting for minutes. Each is refused, or read
// for little CPU, at the gateway and at the embedded repository.
import { gzipSync } from 'node:zlib'
import { Readable } from 'node:stream'
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { readPackage } from '../../src/repository/package.ts'
import { readChartArchive } from '../../src/uploads/archive.ts'
import { paxEntry, rawTar, rawTgz, type RawEntry } from '../helpers/archives.ts'
import { cpuOf } from '../helpers/cpu.ts'
import { testFolder } from '../helpers/folder.ts'

const META = 'apiVersion: v2\nname: x\nversion: 1.0.0\n'
const chart = (yaml: string, ...more: readonly RawEntry[]): Buffer => rawTgz([{ name: 'x/Chart.yaml', body: META + yaml }, ...more])
const aliases = (count: number): string => Array<string>(count).fill('*x').join(', ')
const long = (letter: string): string => letter.repeat(500_000)

/** Four million bytes that are nothing when they are packed, in so many archives inside of each other. */
function nested (levels: number, count: number): Buffer {
  const inner = levels === 0 ? Buffer.alloc(0) : nested(levels - 1, count)
  const files = levels === 0
    ? [{ name: 'y/README.md', body: Buffer.alloc(4_000_000) }]
    : Array.from({ length: count }, (_, i) => ({ name: `y/charts/z${i}.tgz`, body: inner }))
  return gzipSync(rawTar([{ name: 'y/Chart.yaml', body: META }, ...files]))
}

const CASES: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['a long text, as annotations', chart(`annotations: { k: [&x "${long('a')}", ${aliases(40_000)}] }\n`)],
  ['a long number', chart(`other: [&x ${long('1')}, ${aliases(40_000)}]\n`)],
  ['a long binary', chart(`other: [&x !!binary "${long('A')}", ${aliases(40_000)}]\n`)],
  ['a long key', chart(`other: &x "${long('a')}"\nmore:\n${'- { *x : 1 }\n'.repeat(24_000)}`)],
  ['lists of a long text', chart(`a: &a [&x "${long('a')}", *x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\nd: [*c, *c, *c, *c]\n`)],
  ['long texts in values', chart('', { name: 'x/values.yaml', body: `a: &x "${'a'.repeat(60_000)}"\nb: [${aliases(2_000)}]\n` })],
  ['many directives', chart('', { name: 'x/charts/y/Chart.yaml', body: 'name: y' }, { name: 'x/requirements.yaml', body: `${Array.from({ length: 20_000 }, (_, i) => `%TAG !${i}! a`).join('\n')}\n---\n{}\n` })],
  ['a name of slashes', rawTgz([{ name: 'x/Chart.yaml', body: META }, paxEntry(['path', `x/${'/a'.repeat(500_000)}`]), { name: 'x/b' }])],
  ['archives in an archive', chart('', ...Array.from({ length: 30 }, (_, i) => ({ name: `x/charts/y${i}.tgz`, body: nested(1, 30) })))],
  ['much YAML', chart('', ...Array.from({ length: 140 }, (_, i) => ({ name: `x/charts/y${i}/values.yaml`, body: '#'.repeat(125_000) })))],
  ['members of an archive in it', chart('', { name: 'x/charts/y.tgz', body: Buffer.concat([...Array.from({ length: 2_000 }, () => gzipSync('')), nested(0, 0)]) })]
]

/** Milliseconds of CPU that nobody with an upload of some kilobytes may take; one that inflates to 200 MiB takes a second. */
const MOST_CPU = 4_000

for (const [name, bytes] of CASES) {
  await t.test(`${name}, in ${bytes.length} bytes`, async t => {
    t.ok(bytes.length < 200_000)
    const file = join(testFolder(t), 'x.tgz')
    writeFileSync(file, bytes)
    for (const [who, read] of [
      ['the gateway', async () => await readChartArchive(Readable.from([bytes]), bytes.length)],
      ['the embedded repository', async () => await readPackage(file)]
    ] as const) {
      const cpu = await cpuOf(async () => { await read() })
      t.ok(cpu < MOST_CPU, `${who} takes ${Math.round(cpu)} ms`)
    }
  })
}
