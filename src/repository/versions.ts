// Which version is newer, and which ones does a constraint take? As Masterminds/semver
// v3.4.0 does, with which Helm sorts an index and ChartMuseum resolves `latest`, `1`
// or `>=1.2 <2`. npm's semver differs in too much to stand in: `v1` and `1.2` are
// versions here, build numbers are free, `,` is "and", pre-releases have other rules.

/** A segment is a bigint only where a number would not be exact (Go has uint64). */
type Segment = number | bigint

export interface Version {
  readonly major: Segment
  readonly minor: Segment
  readonly patch: Segment
  readonly pre: string
}

const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*'
const VERSION = new RegExp(`^v?([0-9]+)(?:\\.([0-9]+))?(?:\\.([0-9]+))?(?:-(${IDENTIFIERS}))?(?:\\+${IDENTIFIERS})?$`)
const MOST = 2n ** 64n - 1n
/** Digits of it. */
const LONGEST_NUMBER = 20

/** NewVersion: undefined for what is no version. */
export function parseVersion (text: string): Version | undefined {
  const match = VERSION.exec(text)
  if (match === null) return undefined
  const [major, minor, patch] = [match[1], match[2] ?? '0', match[3] ?? '0'].map(digits => segment(digits as string))
  const pre = match[4] ?? ''
  if (major === undefined || minor === undefined || patch === undefined) return undefined
  if (pre.split('.').some(part => /^0[0-9]+$/.test(part))) return undefined
  return { major, minor, patch, pre }
}

function segment (digits: string): Segment | undefined {
  if (digits.length < 16) return Number(digits)
  const significant = digits.replace(/^0+/, '')
  if (significant.length > LONGEST_NUMBER) return undefined
  const value = BigInt(significant)
  return value > MOST ? undefined : value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}

/** Negative when `a` is older; build metadata does not count. */
export function compareVersions (a: Version, b: Version): number {
  return compareParts(a.major, b.major) || compareParts(a.minor, b.minor) || compareParts(a.patch, b.patch) ||
    comparePre(a.pre, b.pre)
}

function compareParts<T extends Segment | string> (a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function comparePre (a: string, b: string): number {
  if (a === b) return 0
  if (a === '' || b === '') return a === '' ? 1 : -1
  const as = a.split('.')
  const bs = b.split('.')
  for (let i = 0; i < as.length || i < bs.length; i++) {
    const order = comparePart(as[i] ?? '', bs[i] ?? '')
    if (order !== 0) return order
  }
  /* c8 ignore next 2 -- two pre-releases with the same parts are the same text */
  return 0
}

function comparePart (a: string, b: string): number {
  if (a === b) return 0
  if (a === '' || b === '') return a === '' ? -1 : 1
  const an = /^[0-9]+$/.test(a) ? segment(a) : undefined
  const bn = /^[0-9]+$/.test(b) ? segment(b) : undefined
  if (an === undefined && bn === undefined) return compareParts(a, b)
  if (an === undefined || bn === undefined) return an === undefined ? 1 : -1
  return compareParts(an, bn)
}

/** The newest first; what is no version comes last (helm/helm v3.20.0, pkg/repo/index.go, Less). */
export function newestFirst (a: Version | undefined, b: Version | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1
  return compareVersions(b, a)
}

export type Constraint = (version: Version) => boolean

const OPERATOR = '(?:=|!=|>|<|>=|=>|<=|=<|~|~>|\\^)'
const X = '[0-9|xX*]+'
const CV = `v?${X}(?:\\.${X}(?:\\.${X})?)?(?:-${IDENTIFIERS})?(?:\\+${IDENTIFIERS})?`
const PARTS = new RegExp(`^v?(${X})(?:\\.(${X}))?(?:\\.(${X}))?((?:-${IDENTIFIERS})?(?:\\+${IDENTIFIERS})?)$`)
// Two of these may try every place of a text that is not longer than LONGEST_CONSTRAINT.
// eslint-disable-next-line regexp/no-super-linear-move
const RANGE = new RegExp(`\\s*(${CV})\\s+-\\s+(${CV})\\s*`, 'g')
// What Go's has in several ways (spaces before, between and behind, a part that is the first or
// the second that may be left out) is here in one: Go's expressions take no longer for it, and
// JavaScript's as long as there are ways.
const BOUND = `(?:${OPERATOR}\\s*)?${CV}`
const VALID = new RegExp(`^\\s*${BOUND}(?:(?:\\s*,\\s*|\\s+)${BOUND})*\\s*$`)
// Go's expressions take the longest operator that lets the rest match; JavaScript's take the first.
// eslint-disable-next-line regexp/no-super-linear-move
const ONE = new RegExp(`(!=|>=|=>|<=|=<|~>|=|>|<|~|\\^|)\\s*(${CV})`, 'g')
const LONGEST_CONSTRAINT = 256

/** NewConstraint; the error is worded as Masterminds/semver does. */
export function parseConstraint (
  text: string
): { readonly ok: true, readonly matches: Constraint } | { readonly ok: false, readonly message: string } {
  if (text.length > LONGEST_CONSTRAINT) return { ok: false, message: 'improper constraint: too long' }
  const ors: Constraint[][] = []
  for (const and of text.replace(RANGE, (_all, low: string, high: string) => `>= ${low}, <= ${high} `).split('||')) {
    if (!VALID.test(and)) return { ok: false, message: `improper constraint: ${and}` }
    const bounds: Bound[] = []
    for (const [, operator, version] of and.matchAll(ONE)) {
      const bound = parseBound(operator as string, version as string)
      if (bound === undefined) return { ok: false, message: 'constraint parser error' }
      bounds.push(bound)
    }
    // Pre-releases are looked at only where a bound names one.
    const pre = bounds.some(bound => bound.version.pre !== '')
    ors.push(bounds.map(bound => version => (version.pre === '' || pre) && OPERATORS[bound.operator](version, bound)))
  }
  return { ok: true, matches: version => ors.some(and => and.every(matches => matches(version))) }
}

interface Bound {
  readonly operator: keyof typeof OPERATORS
  readonly version: Version
  /** A segment is missing or x; `minorDirty`: the minor one, `patchDirty`: only the patch. */
  readonly dirty: boolean
  readonly minorDirty: boolean
  readonly patchDirty: boolean
}

function parseBound (operator: string, text: string): Bound | undefined {
  const [, major = '', minor, patch, rest = ''] = PARTS.exec(text) as unknown as string[]
  const anyMajor = isX(major)
  const minorDirty = !anyMajor && isX(minor)
  const patchDirty = !anyMajor && !minorDirty && isX(patch)
  const filled = anyMajor
    ? '0.0.0'
    : minorDirty
      ? `${major}.0.0`
      : patchDirty
        ? `${major}.${minor}.0`
        : `${major}.${minor}.${patch}`
  const version = parseVersion(filled + rest)
  if (version === undefined) return undefined
  return {
    operator: operator as Bound['operator'],
    version,
    dirty: anyMajor || minorDirty || patchDirty,
    minorDirty,
    patchDirty
  }
}

function isX (segment: string | undefined): boolean {
  return segment === undefined || segment === 'x' || segment === 'X' || segment === '*'
}

const greater = (v: Version, c: Bound): boolean => {
  if (!c.dirty) return compareVersions(v, c.version) > 0
  const major = compareParts(v.major, c.version.major)
  if (major !== 0) return major > 0
  if (c.minorDirty) return false // nothing of 11.x is > 11
  if (c.patchDirty) return v.minor > c.version.minor
  return compareVersions(v, c.version) > 0
}

const lessOrEqual = (v: Version, c: Bound): boolean => {
  if (!c.dirty) return compareVersions(v, c.version) <= 0
  const major = compareParts(v.major, c.version.major)
  return major < 0 || (major === 0 && (c.minorDirty || v.minor <= c.version.minor))
}

const tilde = (v: Version, c: Bound): boolean => {
  if (compareVersions(v, c.version) < 0) return false
  if (isZero(c.version) && !c.minorDirty && !c.patchDirty) return true // ~0.0.0 and * take all
  return compareParts(v.major, c.version.major) === 0 && (c.minorDirty || compareParts(v.minor, c.version.minor) === 0)
}

const caret = (v: Version, c: Bound): boolean => {
  if (compareVersions(v, c.version) < 0) return false
  if (c.version.major > 0 || c.minorDirty) return compareParts(v.major, c.version.major) === 0
  if (v.major > 0) return false
  if (c.version.minor > 0 || c.patchDirty) return compareParts(v.minor, c.version.minor) === 0
  return !(v.minor > 0) && compareParts(v.patch, c.version.patch) === 0
}

const notEqual = (v: Version, c: Bound): boolean => {
  if (!c.dirty) return compareVersions(v, c.version) !== 0
  if (compareParts(v.major, c.version.major) !== 0) return true
  if (c.minorDirty) return false
  if (compareParts(v.minor, c.version.minor) !== 0) return true
  if (c.patchDirty) return v.pre !== c.version.pre
  return compareVersions(v, c.version) !== 0
}

const equal = (v: Version, c: Bound): boolean => c.dirty ? tilde(v, c) : compareVersions(v, c.version) === 0
const greaterOrEqual = (v: Version, c: Bound): boolean => compareVersions(v, c.version) >= 0

const OPERATORS = {
  '': equal,
  '=': equal,
  '!=': notEqual,
  '>': greater,
  '<': (v: Version, c: Bound): boolean => compareVersions(v, c.version) < 0,
  '>=': greaterOrEqual,
  '=>': greaterOrEqual,
  '<=': lessOrEqual,
  '=<': lessOrEqual,
  '~': tilde,
  '~>': tilde,
  '^': caret
} as const

function isZero ({ major, minor, patch }: Version): boolean {
  return !(major > 0) && !(minor > 0) && !(patch > 0)
}
