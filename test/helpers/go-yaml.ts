// YAML as Go reads it, for tests that begin with a text; and what is in it in the words of
// test/clients/loader, each value with its type.
import { isGoMerge, goMerged, goTaggedScalar, goTarget } from '../../src/lib/go-yaml-values.ts'
import { parseGoYaml, type GoYamlBounds, type GoYamlNode } from '../../src/lib/go-yaml-nodes.ts'
import type { LineEnds } from '../../src/lib/go-yaml-scanner.ts'
import type { GoScalar } from '../../src/lib/go-scalars.ts'
import { goYamlText } from '../../src/lib/go-yaml-text.ts'
import { atOnce } from '../../src/lib/steps.ts'

/** Far more than a test has. */
const BOUNDS: GoYamlBounds = { values: 1_000_000, levels: 500, repeated: 10_000_000 }

export type GoReading =
  | { readonly ok: true, readonly node: GoYamlNode }
  | { readonly ok: false, readonly problem: string }

export function readGo (text: string | Buffer, bounds = BOUNDS, ends?: LineEnds): GoReading {
  const read = goYamlText(Buffer.from(text as string))
  if (!read.ok) return read
  const parsed = atOnce(parseGoYaml(read.text, bounds, ends))
  if (!parsed.ok) return { ok: false, problem: parsed.problem === 'fault' ? parsed.message : parsed.problem }
  return { ok: true, node: parsed.node ?? { kind: 'scalar', text: '', tag: '', isPlain: true } }
}

/** What is in it. @throws for what is none */
export function goNodeOf (text: string): GoYamlNode {
  const read = readGo(text)
  if (!read.ok) throw new Error(read.problem)
  return read.node
}

/** What Go has where any type will do; undefined where it has an error. */
export function writtenAsGo (node: GoYamlNode): string | undefined {
  try {
    return written(node)
  } catch (error) {
    if (error instanceof TypeFault) return undefined
    throw error
  }
}

class TypeFault extends Error {}

function written (node: GoYamlNode): string {
  const target = goTarget(node)
  if (target.kind === 'sequence') return `[${target.items.map(written).join(', ')}]`
  if (target.kind === 'mapping') {
    const pairs = [...pairsOf(target)].map(([key, value]) => `${key}: ${value}`)
    return `{${pairs.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))).join(', ')}}`
  }
  const value = goTaggedScalar(target)
  if (value === undefined) throw new TypeFault()
  return scalar(value)
}

function pairsOf (node: GoYamlNode, pairs = new Map<string, string>()): Map<string, string> {
  const target = goTarget(node)
  if (target.kind !== 'mapping') throw new TypeFault()
  for (const [key, value] of target.pairs) {
    if (isGoMerge(key)) for (const merged of goMerged(value)) pairsOf(merged, pairs)
    else if (goTarget(key).kind !== 'scalar') throw new TypeFault()
    else pairs.set(written(key), written(value))
  }
  return pairs
}

function scalar (value: GoScalar): string {
  switch (typeof value) {
    case 'string': return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
    case 'bigint': return `${value < 2n ** 63n ? 'int' : 'uint64'} ${value}`
    case 'boolean': return `bool ${value}`
    case 'number': return `float64 ${float(value)}`
    default: return 'null'
  }
}

/** As Go's %v writes it: with an exponent from 1e+21 on and below 1e-04. */
function float (value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  const [digits = '', exponent] = Math.abs(value).toExponential().split('e')
  const power = Number(exponent)
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  if (power < -4 || power >= 21) return `${sign}${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
  return sign + String(Math.abs(value))
}
