// What names a chart, one of its versions, and the file that it is stored in? One
// definition for all who say a name: uploads, provenance files, request targets and the
// links of an index. What is taken for a new chart is strict; what a repository holds
// already may be called in other ways, as long as a path can say it.
import type { Depth } from './tenant.ts'

// Helm's own rule for new charts (helm/helm v3.21.4, pkg/chartutil/create.go, chartName), and its limit.
const CHART_NAME = /^[A-Za-z0-9._-]{1,250}$/

// What Masterminds/semver's NewVersion takes (v3.4.0, version.go, coerceNewVersion), with which
// Helm validates a chart's version: a leading `v` and missing minor and patch are fine
// (`v1.2.3`, `1.2`), a number above 64 bits or with a leading zero in the prerelease is not.
const NUMBER = '(\\d+)'
const PART = '(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)'
const VERSION_FORM = new RegExp(
  `^v?${NUMBER}(?:\\.${NUMBER})?(?:\\.${NUMBER})?(?:-${PART}(?:\\.${PART})*)?` +
  '(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$'
)
const LARGEST = 2n ** 64n - 1n

/** Bytes of a file's name on ext4, XFS, APFS and NTFS. */
const LONGEST_FILE = 255

/** True for the name of a chart. */
export function isChartName (name: string): boolean {
  return CHART_NAME.test(name) && name !== '.' && name !== '..'
}

/** True for a version that a chart can have. */
export function isVersion (version: string): boolean {
  if (version.length > 256) return false
  const numbers = VERSION_FORM.exec(version)?.slice(1)
  return numbers !== undefined && numbers.every((number: string | undefined) => {
    return number === undefined || number.length < 20 || BigInt(number) <= LARGEST
  })
}

/** True for what the API's reads take in a version's place: a version, `latest`, or one with a leading `~` or `^`. */
export function isVersionQuery (version: string): boolean {
  return version === 'latest' || isVersion(/^[~^]/.test(version) ? version.slice(1) : version)
}

/** The file that a version is stored in (helm/chartmuseum v0.16.5, pkg/repo/chart.go). */
export function chartFileOf (name: string, version: string): string {
  return `${name}-${version}.tgz`
}

/**
 * Why a new chart may not be called so, though name and version are ones: what can be
 * stored and then neither listed, read nor deleted is not taken.
 * @returns a sentence for a person; undefined: it may
 */
export function faultOfNewChart (name: string, version: string, depth: Depth): string | undefined {
  const length = Buffer.byteLength(chartFileOf(name, version)) + '.prov'.length
  if (length > LONGEST_FILE) {
    return `name and version are too long together: a disk takes file names of ${LONGEST_FILE} bytes, ` +
      `and NAME-VERSION.tgz.prov would have ${length}`
  }
  // A path that ends so is none of the API's (pkg/chartmuseum/router/match.go, checkApiRoute).
  if (/\.(?:yaml|tgz|prov)$/.test(name) || /\.(?:yaml|tgz|prov)$/.test(version)) {
    return 'neither name nor version may end in .yaml, .tgz or .prov: ' +
      'ChartMuseum takes a path of its API that ends so for a file\'s'
  }
  // `/api/a/charts/charts` are the charts of the tenant `a/charts` (router/match.go, getDepth).
  if (depth === 'dynamic' && name === 'charts') {
    return 'no chart can be called charts where charts.depth is dynamic: ' +
      'a path of the API would name another tenant'
  }
  return undefined
}

/**
 * True for what a file, or a part of its name, can be called so that one path says it
 * and every reader of the path means the same file.
 */
export function isSayable (text: string): boolean {
  return text !== '' && text !== '.' && text !== '..' && !UNSAYABLE.test(text) &&
    Buffer.byteLength(text) <= LONGEST_FILE
}

// Separators, control characters, halves of a character, what stands for bytes that are
// no UTF-8, and what a second decoding would take for something else.
const UNSAYABLE = /[/\\\p{Cc}\p{Cs}\ufffd]|%[0-9A-Fa-f]{2}/u

/** True for the name of a packaged chart's file, whoever gave it. */
export function isChartFile (file: string): boolean {
  return file.length > '.tgz'.length && file.endsWith('.tgz') && isSayable(file)
}

/** True for the name of a provenance file. */
export function isProvenanceFile (file: string): boolean {
  return file.endsWith('.prov') && isChartFile(file.slice(0, -'.prov'.length)) && isSayable(file)
}

/**
 * True for what stands in the place of a version in the name of a stored file: a version,
 * or what people write there instead (`1.2.3.4`, `release-1.61.0`, `0.1.0 (1)`). It has a
 * number: `latest`, and what begins with `~` or `^`, is no version but a question.
 */
export function isStoredVersion (version: string): boolean {
  return isVersion(version) || (isSayable(version) && /\d/.test(version) && !/^[~^]/.test(version))
}
