import t from 'tap'
import { checkRequirements, readChartYaml } from '../../../src/uploads/archive/chart-yaml.ts'
import type { ArchiveFault } from '../../../src/uploads/archive/fault.ts'
import { chartYaml } from '../../helpers/packages.ts'

const YAML = chartYaml('x', '1.0.0')

/** What it gives, or how it fails. */
const yamlOf = async (body: string | Buffer): Promise<unknown> => await readChartYaml(Buffer.from(body as string)).catch((error: unknown) => error)

await t.test('name and version are what Helm reads in Chart.yaml', async t => {
  const good: [string, string, string][] = [
    ['name: x\nversion: 1.0.0\n', 'x', '1.0.0'],
    ['\ufeffversion: v1.2\r\nname: x.y_z-1\r\n', 'x.y_z-1', 'v1.2'],
    ['name: "x"\nversion: \'1.10\'\n', 'x', '1.10'],
    ['---\n# a comment\nname: "123"\nversion: "1"\n', '123', '1'],
    ['name: |-\n  x\nversion: >-\n  1.0.0\n', 'x', '1.0.0'],
    // what Go takes for a number, and writes as it was written; and what only others take for one
    ['name: 12\nversion: 1.2\n', '12', '1.2'], ['name: 123456\nversion: 1\n', '123456', '1'], ['name: true\nversion: 20261128\n', 'true', '20261128'],
    ['name: e1\nversion: 1.0.0\n', 'e1', '1.0.0'], ['name: 1e400\nversion: 2001-01-01\n', '1e400', '2001-01-01'],
    ['name: x\nversion: 1.0.0\n0x10: a\n~x: b\ne1: c\nno: d\n.inf: e\n', 'x', '1.0.0'],
    ['{"name": "x", "version": "1.0.0-rc.1+b"}', 'x', '1.0.0-rc.1+b'],
    ['name: x\nversion: 1.0.0\nannotations:\n  a: &b |\n    - [{\n  c: *b\n', 'x', '1.0.0'],
    // how the rest is written is its author's affair
    ['name: x\nversion: 1.0.0\nhome: a\nhome: b\nmaintainers: [{name: a, name: b}]\n', 'x', '1.0.0'], ['name: x\nversion: 1.0.0\n16: a\n0x10: b\n', 'x', '1.0.0'],
    ['name: x\nversion: 1.0.0\n---\nname: y\nversion: 2.0.0\n', 'x', '1.0.0'], ['name: x\nversion: 1.0.0\n---\n', 'x', '1.0.0'], ['%YAML 1.1\n---\nname: x\nversion: 1.0.0\n...\n[', 'x', '1.0.0'],
    ['a: &a x\nname: *a\nversion: 1.0.0\n', 'x', '1.0.0'], ['name: &a x\nversion: &b 1.0.0\n', 'x', '1.0.0'], ['!!str name: !!str x\n&k version: !!str 1.10\n', 'x', '1.10'], ['name: ! 12\nversion: !own 1.0.0\n', '12', '1.0.0'],
    ['name: x\n<<: {home: a}\nversion: 1.0.0\n', 'x', '1.0.0'], ['a: &a {home: b}\n<<: [*a, {icon: c}]\nname: x\nversion: 1.0.0\n', 'x', '1.0.0'], ['<<: {name: x, version: 1.0.0}\n', 'x', '1.0.0'],
    [`{"name":"x","version":"1.0.0","keywords":[${Array.from({ length: 500 }, (_, i) => `{"a":${i}}`).join(',')}]}`, 'x', '1.0.0'],
    // line ends that only some readers know, and that change nothing
    ['name: x\rversion: 1.0.0\r', 'x', '1.0.0'], ['name: x\u0085version: 1.0.0\n', 'x', '1.0.0'], ['name: x\nversion: 1.0.0\ndescription: "a\u2028b\u0085c"\n', 'x', '1.0.0']
  ]
  for (const [body, name, version] of good) t.match(await yamlOf(body), { name, version }, encodeURI(body.slice(0, 100)))
  const other = Buffer.from('name: x\nversion: 1.0.0\n', 'utf16le')
  t.match(await yamlOf(Buffer.concat([Buffer.from([0xff, 0xfe]), other])), { name: 'x', version: '1.0.0' }, 'UTF-16, as Go reads it')
  t.match(await yamlOf(Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(other).swap16()])), { name: 'x', version: '1.0.0' }, 'and in the other order')
  const bad: [string, ArchiveFault][] = [
    ['a: [', 'invalid_chart_yaml'], ['- a\n', 'invalid_chart_yaml'], ['', 'invalid_chart_yaml'], ['text', 'invalid_chart_yaml'],
    ['name: x\n---\nversion: 1.0.0\n', 'invalid_version'], ['---\n---\nname: x\nversion: 1.0.0\n', 'invalid_chart_yaml'], ['~', 'invalid_chart_yaml'],
    ['name: x\nversion: 1.0.0\nname: y\n', 'invalid_chart_yaml'], ['name: x\nversion: 1.0.0\n"name": y\n', 'invalid_chart_yaml'],
    // Go's encoding/json takes a key whatever its case
    ['name: x\nversion: 1.0.0\nVersion: 2.0.0\n', 'invalid_chart_yaml'], ['name: x\nversion: 1.0.0\nver\u017fion: 2.0.0\n', 'invalid_chart_yaml'], ['NAME: x\nversion: 1.0.0\n', 'invalid_chart_yaml'],
    ['name: x\nversion: 1.0.0\n~: a\n', 'invalid_chart_yaml'], ['name: x\nversion: 1.0.0\n!!int a: b\n', 'invalid_chart_yaml'],
    // its YAML reader lets a later merge win
    ['name: x\nversion: 1.0.0\n<<: {name: y}\n', 'invalid_chart_yaml'], ['name: x\nversion: 1.0.0\na: &a {version: 2.0.0}\n<<: [*a]\n', 'invalid_chart_yaml'], ['name: x\nversion: 1.0.0\n<<: y\n', 'invalid_chart_yaml'],
    ['? {a: b}\n: c\nname: x\nversion: 1.0.0\n', 'invalid_chart_yaml'], ['!!binary bmFtZQ==: x\nversion: 1.0.0\n', 'invalid_chart_yaml'], ['name: x\nversion: 1.0.0\n!!binary bmFtZQ==: y\n', 'invalid_chart_yaml'],
    ['name: !!int x\nversion: 1.0.0\n', 'invalid_name'], ['name: !!binary eA==\nversion: 1.0.0\n', 'invalid_name'],
    ...['012', '0o17', '0x1f', '0b1', '1_000', '1e3', '0_x10', '0b-11', '.5_0', '1234567.5', 'yes', 'True', '.nan', '~', 'null', '[x]', ''].map((name): [string, ArchiveFault] => [`name: ${name}\nversion: 1.0.0\n`, 'invalid_name']),
    ...['../../org2/x', 'a/b', 'a\\b', '.', '..', '"a b"', '"x\\0"', `"${'x'.repeat(251)}"`].map((name): [string, ArchiveFault] => [`name: ${name}\nversion: 1.0.0\n`, 'invalid_name']),
    ['version: 1.0.0\n', 'invalid_name'], ['name: x\n', 'invalid_version'],
    ...['1.10', '1.0', '1.0.0/../y', 'latest', '"1.0.0 "', '1.2.3.4', '~', '1.0.0-01', '{}'].map((version): [string, ArchiveFault] => [`name: x\nversion: ${version}\n`, 'invalid_version']),
    // its lines end, and begin again, in more places
    ...['\r', '\u0085', '\u2028', '\u2029', '\n\ufeff', '\0', '\u001b'].map((end): [string, ArchiveFault] => [`name: x\nversion: 1.0.0\ndescription: a${end}name: y\n`, 'invalid_chart_yaml']),
    ...['\r', '\u0085', '\u2028', '\u2029'].map((end): [string, ArchiveFault] => [`# a${end}name: x${end}version: 1.0.0${end}a: |\n  name: z\n  version: 1.0.0\n`, 'invalid_chart_yaml']),
    // where its buffer begins with a mark, Go passes over the first letter of each line
    ['\ufeff\ufeff\ufeff#name: z\n#version: 2.0.0\nname: x\nversion: 1.0.0\n', 'invalid_chart_yaml'], ['name: x\nversion: 1.0.0\ndescription: a\ufeffb\n', 'invalid_chart_yaml'],
    ['\ufeff\ufeffname: z\nname: x\nversion: 1.0.0\n', 'invalid_chart_yaml'],
    ['name: x\nversion: 1.0.0\na: *b\n', 'invalid_chart_yaml'], ['name: x\nversion: 1.0.0\na: &a [*a]\n', 'invalid_chart_yaml'],
    [`name: x\nversion: 1.0.0\na: &a [${'x, '.repeat(400)}x]\nb: [${'*a, '.repeat(400)}*a]\n`, 'too_large']
  ]
  for (const [body, fault] of bad) t.match(await yamlOf(body), { fault }, encodeURI(body.slice(0, 100)))
  t.match(await yamlOf('name: 0_x10\nversion: 1.0.0\n'), { message: 'Chart.yaml has the name 0_x10, which Helm reads as 16: write it in quotes' })
  t.match(await yamlOf('name: x\nversion: 1.10\n'), { message: 'Chart.yaml has the version 1.10, which Helm reads as 1.1: write it in quotes' })
  t.match(await yamlOf(`name: ${'0'.repeat(200)}7\nversion: 1.0.0\n`), { message: 'Chart.yaml has a name that Helm reads as 7: write it in quotes' })
  t.match(await yamlOf(Buffer.from(YAML + 'a: \xff', 'latin1')), { fault: 'invalid_chart_yaml', message: 'Chart.yaml is not UTF-8' })
  t.match(await yamlOf(YAML + 'a: b: c\n'), { message: 'Chart.yaml is not valid YAML: line 5: mapping values are not allowed in this context' })
})

await t.test('a requirements.yaml, which Helm reads over Chart.yaml, speaks of nothing else', async t => {
  const check = async (body: string): Promise<unknown> => await checkRequirements(Buffer.from(body)).catch((error: unknown) => error)
  for (const body of ['name: y\n', 'Version: 2.0.0\n', 'ver\u017fion: 2.0.0\n', '<<: {name: y}\n', '- a\n', 'a: [\n', '!!str name: y\n', 'text']) {
    t.match(await check(body), { fault: 'invalid_chart_yaml' }, encodeURI(body))
  }
  for (const body of ['', '# none\n', '~', '---\n', 'dependencies: []\ndependencies: []\ndigest: a\n']) t.equal(await check(body), undefined, encodeURI(body))
  t.match(await check('dependencies: [{ name: a, tags: ["<<: b"] }]'), { message: /^requirements.yaml has a `<<`/ })
})

await t.test('a Chart.yaml that would take long to read is not read', async t => {
  const bodies: [string, string][] = [
    ['bytes', '#'.repeat(1024 * 1024)],
    ['keys', Array.from({ length: 50_000 }, (_, i) => `${i}:\n`).join('')],
    ['brackets', 'a: ' + '['.repeat(500_000)],
    ['dashes', 'a:\n  ' + '- '.repeat(200_000)]
  ]
  for (const [name, body] of bodies) t.match(await yamlOf(YAML + body), { fault: 'too_large', message: /too large or too deep/ }, name)
  for (const [name, body] of [['comments', '# a comment\n'.repeat(50_000)], ['empty lines', '\n'.repeat(100_000)], ['colons', `a: "${':'.repeat(100_000)}"\n`]] as const) t.match(await yamlOf(YAML + body), { name: 'x' }, name)
  t.match(await yamlOf(YAML + `a: ${'['.repeat(20)}${']'.repeat(20)}\nb: |\n  ${'[ - ? '.repeat(1000)}\n`), { name: 'x', version: '1.0.0' })
  // A level is counted where it is, and nothing behind the first fault is looked at.
  t.match(await yamlOf(YAML + `a: ${']'.repeat(2_600)}\nb: ${'['.repeat(2_600)}`), { fault: 'invalid_chart_yaml' })
  const deep = (levels: number): string => `a: &a ${'['.repeat(levels)}${']'.repeat(levels)}\n`
  t.match(await yamlOf(YAML + deep(99)), { name: 'x' })
  t.match(await yamlOf(YAML + deep(100)), { fault: 'too_large' })
  t.match(await yamlOf(`${YAML}${deep(90)}b: [[*a]]\n`), { name: 'x' })
  t.match(await yamlOf(`${YAML}${deep(90)}b: [[[[[[[[[[*a]]]]]]]]]]\n`), { fault: 'too_large' }, 'what an alias repeats is as deep as there')
  t.match(await yamlOf(`${YAML}b: #\u2028a: |\n  ${'['.repeat(200)}\n`), { fault: 'too_large' }, 'nor what only another reader finds deep')
})

await t.test('what Helm reads of a Chart.yaml comes back while others have their turn', async t => {
  let turns = 0
  const timer = setInterval(() => { turns++ }, 1)
  t.match(await yamlOf(YAML + Array.from({ length: 12_000 }, (_, i) => `k${i}: [a]\n`).join('')), { name: 'x' })
  clearInterval(timer)
  t.ok(turns > 2, `${turns} turns`)
})
