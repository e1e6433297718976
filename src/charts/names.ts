// What names a chart, and what names one of its versions? The grammars that the
// parser of request targets, uploads and provenance files share, and what names the
// file that such a version is stored in.

// Helm's own rule for new charts (helm/helm v3.21.4, pkg/chartutil/create.go, chartName), and its limit.
const CHART_NAME = /^[A-Za-z0-9._-]{1,250}$/

// What Masterminds/semver's NewVersion takes (v3.4.0, version.go, coerceNewVersion), with which
// Helm validates a chart's version: a leading `v` and missing minor and patch are fine
// (`v1.2.3`, `1.2`), a number above 64 bits or with a leading zero in the prerelease is not.
const NUMBER = '(\\d+)'
const PART = '(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)'
const VERSION = new RegExp(`^v?${NUMBER}(?:\\.${NUMBER})?(?:\\.${NUMBER})?(?:-${PART}(?:\\.${PART})*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`)
const LARGEST = 2n ** 64n - 1n

// Whatever a name of a chart can begin with, a file's can; it is `<name>-<version>.tgz`,
// but a repository may hold archives that somebody named otherwise.
const CHART_FILE = /^[A-Za-z0-9._-][A-Za-z0-9._+-]*\.tgz$/

/** True for the name of a chart. */
export function isChartName (name: string): boolean {
  return CHART_NAME.test(name) && name !== '.' && name !== '..'
}

/** True for a version that a chart can have. */
export function isVersion (version: string): boolean {
  if (version.length > 256) return false
  const numbers = VERSION.exec(version)?.slice(1)
  return numbers !== undefined && numbers.every((number: string | undefined) => number === undefined || number.length < 20 || BigInt(number) <= LARGEST)
}

/** True for what the API's reads take in a version's place: a version, `latest`, or one with a leading `~` or `^`. */
export function isVersionQuery (version: string): boolean {
  return version === 'latest' || isVersion(/^[~^]/.test(version) ? version.slice(1) : version)
}

/** True for the name of a packaged chart's file. */
export function isChartFile (file: string): boolean {
  return CHART_FILE.test(file)
}
