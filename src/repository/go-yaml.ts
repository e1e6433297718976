// How does Go read this YAML? As go.yaml.in/yaml v2 does below sigs.k8s.io/yaml: YAML
// 1.1 with `yes` and `0777`, but a date stays text, `1:30` too, and of two equal keys
// the last one counts. Asked for Chart.yaml, requirements.yaml and values.yaml.
import { parseBounded } from '../lib/bounded-yaml.ts'
import { goFloat, type GoValue } from './go-json.ts'
import { readSimpleYaml } from './simple-yaml.ts'

/** A mapping is a Map, an integer a bigint, so that nothing of the text is lost. */
export type YamlValue = string | number | bigint | boolean | null | readonly YamlValue[] | ReadonlyMap<unknown, YamlValue>

// A quarter of a second, in which nobody else is answered: 14,000 lines of `key: value`.
const LONGEST = 2 * 1024 * 1024
const BOUNDS = { tokens: 100_000, levels: 100 }

/** The document, or undefined when it is not one, or too much of one. The parser's own words quote the file, so they are dropped. */
export function readGoYaml (text: string): YamlValue | undefined {
  return readSimpleYaml(text) ?? readWholeYaml(text)
}

/** The same, the long way. */
export function readWholeYaml (text: string): YamlValue | undefined {
  if (text.length > LONGEST) return undefined
  try {
    const document = parseBounded(text, BOUNDS, {
      version: '1.1',
      customTags: tags => tags.filter(tag => typeof tag === 'string' || (tag.format !== 'TIME' && tag.tag !== 'tag:yaml.org,2002:timestamp')),
      intAsBigInt: true,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent'
    })
    return document === undefined || document.errors.length > 0 ? undefined : document.toJS({ mapAsMap: true, maxAliasCount: 100 }) as YamlValue
  } catch {
    return undefined // a bomb of aliases
  }
}

/** What encoding/json makes of it for a field of type interface{}: every number is a float64, every key text. */
export function asGoValue (value: YamlValue): GoValue {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return (value as readonly YamlValue[]).map(asGoValue)
  return new Map([...value as ReadonlyMap<unknown, YamlValue>].map(([key, item]) => [scalarText(key) ?? String(key), asGoValue(item)]))
}

/** A scalar where text is wanted; undefined for lists and mappings. */
export function scalarText (value: unknown): string | undefined {
  switch (typeof value) {
    case 'string': return value
    case 'number': return goFloat(value, 32)
    case 'bigint': return value >= -(2n ** 63n) && value < 2n ** 64n ? String(value) : goFloat(Number(value), 32)
    case 'boolean': return String(value)
    default: return undefined
  }
}
