// What does Go make of a plain YAML scalar, and of what it made where text is wanted?
// `resolve` of go.yaml.in/yaml v2.4.4 (resolve.go), with which Helm and ChartMuseum read
// a Chart.yaml: neither YAML 1.1 nor 1.2. `0_x10` is the number 16 and `e1` is text.
// Every expression is linear in what it reads.

/** Text, a truth, an integer of 64 bits (bigint), a float of 64 bits, or nothing. */
export type GoScalar = string | boolean | bigint | number | null

const WORDS: ReadonlyMap<string, boolean | number | null> = new Map<string, boolean | number | null>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON']
    .map((word): [string, boolean] => [word, true]),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF']
    .map((word): [string, boolean] => [word, false]),
  ...['', '~', 'null', 'Null', 'NULL'].map((word): [string, null] => [word, null]),
  ...['.nan', '.NaN', '.NAN'].map((word): [string, number] => [word, NaN]),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word): [string, number] => [word, Infinity]),
  ...['-.inf', '-.Inf', '-.INF'].map((word): [string, number] => [word, -Infinity])
])

// strconv.ParseInt and ParseUint with base 0.
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]([0-7]+)|0[bB]([01]+)|0([0-7]*)|([1-9][0-9]*))$/
const BASES = [16, 8, 2, 8, 10] as const
// What is left for the reader's own look at `0b`: a sign behind it.
const SIGNED_BINARY = /^0b([-+])([01]+)$/
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
// One that begins with a dot goes to strconv.ParseFloat as it is, which takes `_` between digits.
const DOTTED = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/

const MOST_SIGNED = 2n ** 63n
const MOST = 2n ** 64n

/**
 * A plain scalar without a tag. A timestamp is text, which it stays for whoever decodes
 * into no type (decode.go, scalar), and so is `<<`, which is a merge as a key alone.
 */
export function resolveGoScalar (plain: string): GoScalar {
  const word = WORDS.get(plain)
  if (word !== undefined) return word
  const first = plain.charAt(0)
  if (first === '.') return DOTTED.test(plain) ? finite(plain.replaceAll('_', '')) ?? plain : plain
  if (!/[-+0-9]/.test(first)) return plain
  const digits = plain.replaceAll('_', '')
  return readInteger(digits) ?? (FLOAT.test(digits) ? finite(digits) : undefined) ?? signedBinary(digits) ?? plain
}

function readInteger (digits: string): bigint | undefined {
  const [, sign, ...found] = INTEGER.exec(digits) ?? []
  const at = found.findIndex(each => each !== undefined)
  return at < 0 ? undefined : inRange(sign as string, integerValue(found[at] as string, BASES[at] as number))
}

function signedBinary (digits: string): bigint | undefined {
  const [, sign, found] = SIGNED_BINARY.exec(digits) ?? []
  return found === undefined ? undefined : inRange(sign as string, integerValue(found, 2))
}

/** Its value, or one too many where it is out of every range; digits without end cost nothing. */
function integerValue (digits: string, base: number): bigint {
  const counting = digits.replace(/^0+/, '')
  if (counting.length > 64) return MOST
  const prefix = { 16: '0x', 8: '0o', 2: '0b' }[base] ?? ''
  return counting === '' ? 0n : BigInt(prefix + counting)
}

/** An int64, or without a sign a uint64. */
function inRange (sign: string, value: bigint): bigint | undefined {
  if (sign === '-') return value <= MOST_SIGNED ? -value : undefined
  return value < (sign === '+' ? MOST_SIGNED : MOST) ? value : undefined
}

/** strconv.ParseFloat: a number that is too large is an error, and so text. */
function finite (digits: string): number | undefined {
  const value = Number(digits)
  return Number.isFinite(value) ? value : undefined
}

/**
 * What a field of type string gets (sigs.k8s.io/yaml v1.6.0, yaml.go,
 * convertToJSONableObject): numbers and truths are written out, a float as a float32.
 * Nothing leaves it as it was.
 */
export function goScalarText (value: Exclude<GoScalar, null>): string {
  return typeof value === 'number' ? goFloat(value, 32) : String(value)
}

/**
 * A float as strconv.FormatFloat(f, 'g', -1, bits) writes it: with an exponent from
 * 1e+06 on and below 1e-04. With 32 bits it is the shortest text for a float32.
 */
export function goFloat (value: number, bits: 32 | 64): string {
  const rounded = bits === 32 ? Math.fround(value) : value
  if (!Number.isFinite(rounded)) return Number.isNaN(rounded) ? 'NaN' : rounded > 0 ? '+Inf' : '-Inf'
  const sign = rounded < 0 || Object.is(rounded, -0) ? '-' : ''
  const shortest = bits === 32 ? shortestSingle(Math.abs(rounded)) : Math.abs(rounded)
  const [digits, exponent] = shortest.toExponential().split('e') as [string, string]
  const power = Number(exponent)
  if (power >= -4 && power < 6) return sign + String(shortest)
  return `${sign}${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

/**
 * The number with the fewest digits that is this float32, not negative; of two the nearer
 * one, and the even one of two as near.
 */
function shortestSingle (single: number): number {
  const [exact, exponent] = single.toExponential(60).replace('.', '').split('e') as [string, string]
  for (let length = 1; ; length++) {
    const below = Number(exact.slice(0, length))
    const [first, second] = [below, below + 1]
      .map(digits => ({ digits, value: Number(`${digits}e${Number(exponent) - length + 1}`) }))
      .filter(({ value }) => Math.fround(value) === single)
    if (first === undefined) continue
    if (second === undefined) return first.value
    const rest = BigInt(exact.slice(length)) - 5n * 10n ** BigInt(exact.length - length - 1)
    return rest > 0n || (rest === 0n && below % 2 === 1) ? second.value : first.value
  }
}
