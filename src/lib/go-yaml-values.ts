// What does Go make of a node where any type will do? What go.yaml.in/yaml v2.4.4 (decode.go,
// resolve.go) gives to sigs.k8s.io/yaml, which makes JSON of it: scalars, merged mappings.
import { goScalarText, resolveGoScalar, type GoScalar } from './go-scalars.ts'
import type { GoYamlNode, GoYamlScalar } from './go-yaml-nodes.ts'

export type GoYamlValue = GoScalar | readonly GoYamlValue[] | ReadonlyMap<string, GoYamlValue>

const TAGS = 'tag:yaml.org,2002:'
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Whatever an alias leads to. */
export function goTarget (node: GoYamlNode): Exclude<GoYamlNode, { kind: 'alias' }> {
  return node.kind === 'alias' ? node.target : node
}

/** A scalar with its tag; undefined where Go has an error. */
export function goTaggedScalar ({ text, tag, isPlain }: GoYamlScalar): GoScalar | undefined {
  if (tag === '') return isPlain ? resolveGoScalar(text) : text
  const value = resolveGoScalar(text)
  switch (tag) {
    case `${TAGS}null`: return value === null ? value : undefined
    case `${TAGS}bool`: return typeof value === 'boolean' ? value : undefined
    case `${TAGS}int`: return typeof value === 'bigint' ? value : undefined
    case `${TAGS}float`: return typeof value === 'bigint' || typeof value === 'number' ? Number(value) : undefined
    case `${TAGS}binary`: return fromBase64(text.replace(/[\r\n]/g, ''))
    default: return text
  }
}

function fromBase64 (text: string): string | undefined {
  return BASE64.test(text) ? Buffer.from(text, 'base64').toString('utf8') : undefined
}

/** True for the key whose value is merged into its mapping. */
export function isGoMerge (key: GoYamlNode): boolean {
  return key.kind === 'scalar' && key.text === '<<' && (key.isPlain || key.tag === '!' || key.tag === `${TAGS}merge`)
}

/** The mappings that a merge puts in, the last one last, which wins. */
export function goMerged (value: GoYamlNode): readonly GoYamlNode[] {
  return value.kind === 'sequence' ? value.items.toReversed() : [value]
}

/** The text of a key in JSON; undefined where Go has an error: nothing, a list or a mapping. */
export function goKey (key: GoYamlNode): string | undefined {
  const scalar = goTarget(key)
  const value = scalar.kind === 'scalar' ? goTaggedScalar(scalar) : undefined
  return value === undefined || value === null ? undefined : goScalarText(value)
}

/** All of a node: of two equal keys the last one counts, and a merge counts where it stands. */
export function goYamlValue (node: GoYamlNode): GoYamlValue {
  const target = goTarget(node)
  if (target.kind === 'scalar') return goTaggedScalar(target) ?? null
  if (target.kind === 'sequence') return target.items.map(goYamlValue)
  const map = new Map<string, GoYamlValue>()
  addPairs(map, target)
  return map
}

function addPairs (map: Map<string, GoYamlValue>, node: GoYamlNode): void {
  const target = goTarget(node)
  if (target.kind !== 'mapping') return
  for (const [key, value] of target.pairs) {
    if (isGoMerge(key)) for (const merged of goMerged(value)) addPairs(map, merged)
    else map.set(goKey(key) ?? '', goYamlValue(value))
  }
}
