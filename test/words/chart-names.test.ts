import fc from 'fast-check'
import t from 'tap'
import { chartFileOf, faultOfNewChart, isChartFile, isChartName, isProvenanceFile, isSayable, isStoredVersion, isVersion, isVersionQuery } from '../../src/words/chart-names.ts'

const VERSIONS = ['1.2.3', '0.0.0', '01.2.3', '18446744073709551615.0.18446744073709551615', 'v1.2.3', '1', '1.2', 'v1', '1.2.3-rc.1', '1.2.3-0a-b', '1.2.3+build.7', '1.2.3-rc.1+build.7', '1.2+b', '10.20.30', `1.0.0-${'a'.repeat(250)}`]
const NO_VERSIONS = ['', 'v', 'latest', '18446744073709551616', '1.100000000000000000000', '1.2.3-01', '1.2.3-a.00', '1.2.3.4', '1.', '.1', '1..2', '1.2.3-', '1.2.3+', '1.2.3-a..b', '1.2.3+a+b', '1.2.3_1', 'V1.2.3', 'vv1', ' 1.2.3', '1.2.3\n', '1.2.3/..', '1.2.3-\u00e4', 'x', '1.x', '~1.2', '^1', '>=1', `1.0.0-${'a'.repeat(251)}`]

await t.test('a chart is named with letters, digits, dots, underscores and hyphens', async t => {
  for (const name of ['mychart', 'a', 'My_Chart.2', '-x', '0', '..a', 'a..', '...', 'x'.repeat(250)]) t.equal(isChartName(name), true, name)
  for (const name of ['', '.', '..', 'x'.repeat(251), 'a/b', '../a', 'a\\b', 'a b', 'a\n', 'a\0', 'a+b', 'a%2fb', 'caf\u00e9', '*', '~a']) t.equal(isChartName(name), false, JSON.stringify(name))
})

await t.test('a version is a semantic version as Helm accepts it', async t => {
  for (const version of VERSIONS) t.equal(isVersion(version), true, version)
  for (const version of NO_VERSIONS) t.equal(isVersion(version), false, JSON.stringify(version))
})

await t.test('the reads take every version, latest, and one leading ~ or ^', async t => {
  for (const version of [...VERSIONS, 'latest', '~1', '^1.2', '~1.2.3', '^v1.2.3-rc.1']) t.equal(isVersionQuery(version), true, version)
  for (const version of ['', '~', '^', '~~1', '^~1', '~latest', 'Latest', '1~', '1.2.^', '>=1', '*', '1.x', '1 - 2', '~1/..']) t.equal(isVersionQuery(version), false, JSON.stringify(version))
})

await t.test('no name and no version can leave its folder or start another path segment', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => {
    if (isChartName(text) || isVersion(text) || isVersionQuery(text)) return /^[^/\\\0%?#]+$/.test(text) && text !== '.' && text !== '..'
    if (isSayable(text) || isStoredVersion(text)) return /^[^/\\\0\n]+$/.test(text) && text !== '.' && text !== '..'
    return true
  }))
  fc.assert(fc.property(fc.nat(), fc.nat(), fc.nat(), (major, minor, patch) => isVersion(`${major}.${minor}.${patch}`) && isVersionQuery(`^${major}.${minor}`)))
})

await t.test('a new chart may be called as all who say its name can say it, and what is wrong is said with its limit', t => {
  const fits = 'n'.repeat(255 - '-1.0.0.tgz.prov'.length)
  for (const [name, version] of [['mychart', '1.0.0'], ['a..b', '1.0.0'], ['x...', 'v1'], ['..x', '1'], ['tgz', '1.0.0-yaml'], ['yaml-x', '1.0.0+prov'], [fits, '1.0.0'], ['n', `1.0.0-${'v'.repeat(238)}`]] as const) t.equal(faultOfNewChart(name, version, 2), undefined, `${name} ${version}`)
  t.match(faultOfNewChart(`${fits}n`, '1.0.0', 2), /255 bytes.*would have 256/)
  t.match(faultOfNewChart('n'.repeat(250), '1.0.0', 2), /would have 265/)
  for (const [name, version] of [['a.yaml', '1.0.0'], ['a.tgz', '1.0.0'], ['a.prov', '1.0.0'], ['.tgz', '1'], ['a', '1.0.0-x.yaml'], ['a', '1.0.0+b.tgz'], ['a', '1.0.0-a.prov']] as const) t.match(faultOfNewChart(name, version, 2), /\.yaml, \.tgz or \.prov/, `${name} ${version}`)
  t.match(faultOfNewChart('charts', '1.0.0', 'dynamic'), /charts\.depth is dynamic/)
  for (const [name, depth] of [['charts', 2], ['charts', 0], ['prov', 'dynamic'], ['charts-x', 'dynamic']] as const) t.equal(faultOfNewChart(name, '1.0.0', depth), undefined, `${name} ${depth}`)
  t.equal(chartFileOf('a', '1.0.0+b'), 'a-1.0.0+b.tgz')
  t.end()
})

await t.test('a stored file may be called whatever a path can say', t => {
  const odd = ['mychart-0.1.0 (1)', 'a&b', 'a:b', 'a!b', "it's", 'a[b]', 'a#b', 'a%b', '100%', 'gr\u00f6\u00dfe', '\u{1f600}', 'a+b', '+a', '~a', 'a^b', 'a?b', '..', '...', ' ', '\u2028', '<<', 'x'.repeat(251), '\u00f6'.repeat(125)]
  for (const name of odd) {
    t.ok(isChartFile(`${name}.tgz`), name)
    t.notOk(isProvenanceFile(`${name}.tgz`), name)
  }
  for (const name of ['a', 'a b', 'x'.repeat(246)]) {
    t.ok(isProvenanceFile(`${name}.tgz.prov`), name)
    t.notOk(isChartFile(`${name}.tgz.prov`), name)
  }
  for (const name of ['a/b', 'a\\b', 'a\0b', 'a\nb', 'a\x7fb', 'a\x80b', 'a\x9fb', 'a%20b', 'a%2Fb', 'a%aab', 'a\ud800b', 'a\ufffdb', 'x'.repeat(252), '\u00f6'.repeat(126)]) {
    t.notOk(isChartFile(`${name}.tgz`), JSON.stringify(name))
    t.notOk(isProvenanceFile(`${name}.tgz.prov`), JSON.stringify(name))
    t.notOk(isSayable(`${name}${'x'.repeat(10)}`), JSON.stringify(name))
  }
  for (const name of ['', '.', '..']) t.notOk(isSayable(name), name)
  for (const file of ['.tgz', 'a.tar.gz', 'a.TGZ', 'atgz', 'a.tgz.prov.prov', 'a.prov', '', `${'x'.repeat(247)}.tgz.prov`]) t.notOk(isChartFile(file) || isProvenanceFile(file), file)
  t.end()
})

await t.test('what stands for a version in the name of a stored file has a number, and asks no question', t => {
  for (const version of [...VERSIONS.filter(version => version.length < 255), '1.2.3.4', 'release-1.61.0', '1.0.0-03173138', '0.1.0 (1)', '0.1.0 - Copy', '1.0.0_b.1', 'v1.\u00e4', '2']) t.ok(isStoredVersion(version), version)
  for (const version of ['', 'latest', 'dev', '~1', '^1', '~1.2.3', '1/2', '1\\2', '..', '1%202', '1\n']) t.notOk(isStoredVersion(version), JSON.stringify(version))
  t.end()
})
