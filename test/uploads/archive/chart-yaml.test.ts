import t from 'tap'
import { checkRequirements, readChartYaml } from '../../../src/uploads/archive/chart-yaml.ts'
import type { ArchiveFault } from '../../../src/uploads/archive/fault.ts'
import { chartYaml } from '../../helpers/packages.ts'

const YAML = chartYaml('x', '1.0.0')

/** What it gives, or how it fails. */
function attempt (read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return error
  }
}

const yamlOf = (body: string): unknown => attempt(() => readChartYaml(Buffer.from(body)))

await t.test('name and version are what Helm reads in Chart.yaml', t => {
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
    ['name: x\nversion: 1.0.0\nannotations:\n  a: &b |\n    - [{\n  c: *b\n', 'x', '1.0.0']
  ]
  for (const [body, name, version] of good) t.match(yamlOf(body), { name, version }, body)
  const bad: [string, ArchiveFault][] = [
    ['a: [', 'invalid_chart_yaml'], ['- a\n', 'invalid_chart_yaml'], ['', 'invalid_chart_yaml'], ['text', 'invalid_chart_yaml'],
    ['name: x\n---\nname: y\n', 'invalid_chart_yaml'],
    ['name: x\nversion: 1.0.0\nname: y\n', 'invalid_chart_yaml'], ['name: x\nversion: 1.0.0\n"name": y\n', 'invalid_chart_yaml'],
    // Go's encoding/json takes a key whatever its case
    ['name: x\nversion: 1.0.0\nVersion: 2.0.0\n', 'invalid_chart_yaml'], ['name: x\nversion: 1.0.0\nver\u017fion: 2.0.0\n', 'invalid_chart_yaml'], ['NAME: x\nversion: 1.0.0\n', 'invalid_chart_yaml'],
    ['name: x\nversion: 1.0.0\n~: a\n', 'invalid_chart_yaml'], ['name: x\nversion: 1.0.0\n16: a\n0x10: b\n', 'invalid_chart_yaml'],
    // its YAML reader lets a later merge win
    ['name: x\nversion: 1.0.0\n<<: {name: y}\n', 'invalid_chart_yaml'], ['? {a: b}\n: c\nname: x\nversion: 1.0.0\n', 'invalid_chart_yaml'], ['!!str name: x\nversion: 1.0.0\n', 'invalid_chart_yaml'],
    ['a: &a x\nname: *a\nversion: 1.0.0\n', 'invalid_name'], ['name: &a x\nversion: 1.0.0\n', 'invalid_name'], ['name: !!binary eA==\nversion: 1.0.0\n', 'invalid_name'],
    ...['012', '0o17', '0x1f', '0b1', '1_000', '1e3', '0_x10', '0b-11', '.5_0', '1234567.5', 'yes', 'True', '.nan', '~', 'null', '[x]', ''].map((name): [string, ArchiveFault] => [`name: ${name}\nversion: 1.0.0\n`, 'invalid_name']),
    ...['../../org2/x', 'a/b', 'a\\b', '.', '..', '"a b"', '"x\\0"', `"${'x'.repeat(251)}"`].map((name): [string, ArchiveFault] => [`name: ${name}\nversion: 1.0.0\n`, 'invalid_name']),
    ['version: 1.0.0\n', 'invalid_name'], ['name: x\n', 'invalid_version'],
    ...['1.10', '1.0', '1.0.0/../y', 'latest', '"1.0.0 "', '1.2.3.4', '~', '1.0.0-01', '{}'].map((version): [string, ArchiveFault] => [`name: x\nversion: ${version}\n`, 'invalid_version']),
    // its lines end, and begin again, in more places
    ...['\r', '\u0085', '\u2028', '\u2029', '\n\ufeff', '\0', '\u001b'].map((end): [string, ArchiveFault] => [`name: x\nversion: 1.0.0\ndescription: a${end}name: y\n`, 'invalid_chart_yaml']),
    ['\ufeff\ufeffname: y\nname: x\nversion: 1.0.0\n', 'invalid_chart_yaml'],
    ['name: x\nversion: 1.0.0\na: *b\n', 'invalid_chart_yaml'],
    ['name: x\nversion: 1.0.0\na: &a [&b [&c [x, x, x], *c, *c, *c, *c, *c], *b, *b, *b, *b, *b]\nc: [*a, *a, *a, *a, *a, *a, *a]\n', 'invalid_chart_yaml']
  ]
  for (const [body, fault] of bad) t.match(yamlOf(body), { fault }, encodeURI(body))
  t.match(yamlOf('name: 0_x10\nversion: 1.0.0\n'), { message: 'Chart.yaml has the name 0_x10, which Helm reads as 16: write it in quotes' })
  t.match(yamlOf('name: x\nversion: 1.10\n'), { message: 'Chart.yaml has the version 1.10, which Helm reads as 1.1: write it in quotes' })
  t.match(yamlOf(`name: ${'0'.repeat(200)}7\nversion: 1.0.0\n`), { message: 'Chart.yaml has a name that Helm reads as 7: write it in quotes' })
  t.match(attempt(() => readChartYaml(Buffer.from(YAML + 'a: \xff', 'latin1'))), { fault: 'invalid_chart_yaml' }, 'bytes that are not UTF-8')
  t.end()
})

await t.test('a requirements.yaml, which Helm reads over Chart.yaml, speaks of nothing else', t => {
  for (const body of ['name: y\n', 'Version: 2.0.0\n', 'ver\u017fion: 2.0.0\n', '<<: {name: y}\n', '- a\n', 'a: [\n', '!!str name: y\n', 'text']) {
    t.match(attempt(() => { checkRequirements(Buffer.from(body)) }), { fault: 'invalid_chart_yaml' }, encodeURI(body))
  }
  t.end()
})

await t.test('a Chart.yaml that would take long to read is not read', t => {
  const bodies: [string, string][] = [
    ['bytes', '#'.repeat(256 * 1024)],
    ['lines', '\n'.repeat(10_000)],
    ['keys', Array.from({ length: 2_500 }, (_, i) => `k${i}:\n`).join('')],
    ['brackets', 'a: ' + '['.repeat(500_000)],
    ['dashes', 'a:\n  ' + '- '.repeat(200_000)]
  ]
  for (const [name, body] of bodies) t.match(yamlOf(YAML + body), { fault: 'too_large', message: /too large or too deep/ }, name)
  t.match(yamlOf(YAML + `a: ${'['.repeat(20)}${']'.repeat(20)}\nb: |\n  ${'[ - ? '.repeat(1000)}\n`), { name: 'x', version: '1.0.0' })
  // A level is counted where it is, and nothing behind the first fault is looked at.
  t.match(yamlOf(YAML + `a: ${']'.repeat(2_600)}\nb: ${'['.repeat(2_600)}`), { fault: 'invalid_chart_yaml' })
  t.end()
})
