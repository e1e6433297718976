// How does Go read this YAML? As go.yaml.in/yaml v2 does below sigs.k8s.io/yaml: the
// structure of YAML 1.1, scalars in a way of its own, and of two equal keys the last one
// counts. Asked for Chart.yaml, requirements.yaml and values.yaml.
import type { ScalarTag, Tags } from 'yaml'
import { parseBounded } from '../lib/bounded-yaml.ts'
import { goScalarText, resolveGoScalar, type GoScalar } from '../lib/go-scalars.ts'
import type { GoValue } from './go-json.ts'
import { readSimpleYaml } from './simple-yaml.ts'

/** A mapping is a Map, an integer a bigint, so that nothing of the text is lost. */
export type YamlValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly YamlValue[]
  | ReadonlyMap<unknown, YamlValue>

// A quarter of a second, in which nobody else is answered: 14,000 lines of `key: value`.
const LONGEST = 2 * 1024 * 1024
const BOUNDS = { tokens: 100_000, levels: 100 }

/**
 * The document, or undefined when it is not one, or too much of one. The parser's own
 * words quote the file, so they are dropped.
 */
export function readGoYaml (text: string): YamlValue | undefined {
  return readSimpleYaml(text) ?? readWholeYaml(text)
}

/** The same, the long way. */
export function readWholeYaml (text: string): YamlValue | undefined {
  if (text.length > LONGEST) return undefined
  try {
    const document = parseBounded(text, BOUNDS, {
      version: '1.1',
      customTags: withGoScalars,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent'
    })
    return document === undefined || document.errors.length > 0
      ? undefined
      : document.toJS({ mapAsMap: true, maxAliasCount: 100 }) as YamlValue
  } catch {
    return undefined // a bomb of aliases
  }
}

/** The tags of YAML 1.1 with Go's eyes for scalars: without a tag, and with one of its own. */
function withGoScalars (tags: Tags): Tags {
  return [...tags.filter(tag => typeof tag === 'string' || !SCALARS.has(tag.tag)), ...TAGGED, PLAIN]
}

const SCALARS = new Set(['null', 'bool', 'int', 'float', 'timestamp'].map(longTag))

/** A plain scalar, whatever it is. */
const PLAIN: ScalarTag = { tag: 'tag:yaml.org,2002:plain', default: true, test: /^/, resolve: resolveGoScalar }

/** One that says what it is must be that (resolve.go, resolve). */
const TAGGED: readonly ScalarTag[] = [
  tagged('null', value => value === null),
  tagged('bool', value => typeof value === 'boolean'),
  tagged('int', value => typeof value === 'bigint'),
  tagged('float', value => typeof value === 'number' || typeof value === 'bigint')
]

function tagged (name: string, fits: (value: GoScalar) => boolean): ScalarTag {
  return {
    tag: longTag(name),
    resolve (text, onError) {
      const value = resolveGoScalar(text)
      if (!fits(value)) onError(`this is no ${name}`)
      return name === 'float' ? Number(value) : value
    }
  }
}

function longTag (name: string): string {
  return `tag:yaml.org,2002:${name}`
}

/** What encoding/json makes of it for a field of type interface{}: every number is a float64, every key text. */
export function asGoValue (value: YamlValue): GoValue {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return (value as readonly YamlValue[]).map(asGoValue)
  return new Map([...value as ReadonlyMap<unknown, YamlValue>].map(([key, item]) => [
    scalarText(key) ?? String(key),
    asGoValue(item)
  ]))
}

/** A scalar where text is wanted; undefined for lists, mappings and nothing. */
export function scalarText (value: unknown): string | undefined {
  return typeof value === 'object' ? undefined : goScalarText(value as Exclude<GoScalar, null>)
}
