import fc from 'fast-check'
import t from 'tap'
import { isChartName, isVersion, isVersionQuery } from '../../src/charts/names.ts'

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
    return true
  }))
  fc.assert(fc.property(fc.nat(), fc.nat(), fc.nat(), (major, minor, patch) => isVersion(`${major}.${minor}.${patch}`) && isVersionQuery(`^${major}.${minor}`)))
})
