// What does Helm make of a Chart.yaml? The fields of chart.Metadata in Go's order, read
// as leniently as Go does (`NAME:` is name, `appVersion: 1.10` is "1.1"), cleaned and
// validated (helm/helm v3.20.0, pkg/chart/metadata.go, dependency.go). Errors are Helm's words.
import { parseVersion } from './versions.ts'
import type { GoStruct, GoValue } from './go-json.ts'
import { asGoValue, scalarText, type YamlValue } from './go-yaml.ts'

export interface Metadata extends GoStruct {
  readonly name: string
  readonly version: string
}

export type MetadataResult =
  | { readonly ok: true, readonly metadata: Metadata }
  | { readonly ok: false, readonly message: string }

type Kind = 'string' | 'bool' | 'strings' | 'map' | 'any' | Fields
interface Fields { readonly [field: string]: Kind }

const MAINTAINER: Fields = { name: 'string', email: 'string', url: 'string' }
const DEPENDENCY: Fields = {
  name: 'string',
  version: 'string',
  repository: 'string',
  condition: 'string',
  tags: 'strings',
  enabled: 'bool',
  'import-values': 'any',
  alias: 'string'
}
const METADATA: Fields = {
  name: 'string',
  home: 'string',
  sources: 'strings',
  version: 'string',
  description: 'string',
  keywords: 'strings',
  maintainers: MAINTAINER,
  icon: 'string',
  apiVersion: 'string',
  condition: 'string',
  tags: 'string',
  appVersion: 'string',
  deprecated: 'bool',
  annotations: 'map',
  kubeVersion: 'string',
  dependencies: DEPENDENCY,
  type: 'string'
}
/** These are written even when they are empty. */
const ALWAYS: ReadonlyMap<Fields, readonly string[]> = new Map([[DEPENDENCY, ['name', 'repository']]])
/** These are not cleaned. */
const RAW: ReadonlySet<string> = new Set(['version', 'apiVersion', 'type'])

class Mismatch extends Error {}

/**
 * @param chartYaml Chart.yaml
 * @param requirements requirements.yaml of a chart made for Helm 2; its fields win
 */
export function readMetadata (chartYaml: YamlValue | undefined, requirements?: YamlValue): MetadataResult {
  const fields = new Map<string, GoValue>()
  for (const [file, document] of [['Chart.yaml', chartYaml], ['requirements.yaml', requirements]] as const) {
    if (document === undefined || document === null) {
      if (file === 'Chart.yaml' && document === undefined) {
        return { ok: false, message: 'cannot load Chart.yaml: error converting YAML to JSON' }
      }
      continue
    }
    try {
      for (const [field, value] of readFields(document, METADATA, 'Metadata')) fields.set(field, value)
    } catch (error) {
      /* c8 ignore next -- nothing else is thrown */
      if (!(error instanceof Mismatch)) throw error
      return {
        ok: false,
        message: `cannot load ${file}: error unmarshaling JSON: while decoding JSON: json: ` +
          `cannot unmarshal ${error.message}`
      }
    }
  }
  if (textField(fields, 'apiVersion') === '') fields.set('apiVersion', 'v1')
  const message = validate(fields)
  if (message !== undefined) return { ok: false, message }
  return { ok: true, metadata: inOrder(fields, METADATA) as Metadata }
}

function readFields (value: YamlValue, fields: Fields, place: string): Map<string, GoValue> {
  if (!(value instanceof Map)) throw new Mismatch(`${kindOf(value)} into Go value of type chart.${place}`)
  const found = new Map<string, GoValue>()
  for (const [key, item] of value as ReadonlyMap<unknown, YamlValue>) {
    const name = String(key)
    const field = Object.hasOwn(fields, name)
      ? name
      : Object.keys(fields).find(each => each.toLowerCase() === name.toLowerCase())
    if (field === undefined || item === null) continue
    found.set(field, readField(item, fields[field] as Kind, `${place}.${field}`, !RAW.has(field)))
  }
  return found
}

function readField (value: YamlValue, kind: Kind, place: string, clean: boolean): GoValue {
  switch (kind) {
    case 'string': return readTextField(value, place, clean)
    case 'bool':
      if (typeof value !== 'boolean') throw mismatch(value, place, 'bool')
      return value
    case 'strings':
      return asList(value, place, '[]string').map(item => item === null ? '' : readTextField(item, place, true))
    case 'map':
      if (!(value instanceof Map)) throw mismatch(value, place, 'map[string]string')
      return new Map([...value as ReadonlyMap<unknown, YamlValue>].map(([key, item]) => [
        scalarText(key) ?? String(key),
        item === null ? '' : readTextField(item, place, false)
      ]))
    case 'any': return asList(value, place, '[]interface {}').map(asGoValue)
    default:
      return asList(value, place, '[]*chart.' + place)
        .map(item => item === null ? null : inOrder(readFields(item, kind, place), kind))
  }
}

function asList (value: YamlValue, place: string, type: string): readonly YamlValue[] {
  if (!Array.isArray(value)) throw mismatch(value, place, type)
  return value as readonly YamlValue[]
}

function readTextField (value: YamlValue, place: string, clean: boolean): string {
  const found = scalarText(value)
  if (found === undefined) throw mismatch(value, place, 'string')
  return clean ? sanitize(found) : found
}

function mismatch (value: YamlValue, place: string, type: string): Mismatch {
  return new Mismatch(`${kindOf(value)} into Go struct field ${place} of type ${type}`)
}

function kindOf (value: YamlValue): string {
  if (Array.isArray(value)) return 'array'
  if (value instanceof Map) return 'object'
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'number'
}

/** The struct with its fields in Go's order, without those that `omitempty` leaves out. */
function inOrder (found: ReadonlyMap<string, GoValue>, fields: Fields): GoStruct {
  const always = ALWAYS.get(fields) ?? []
  const entries: [string, GoValue][] = []
  for (const field of Object.keys(fields)) {
    const value = found.get(field)
    if (always.includes(field)) entries.push([field, value ?? ''])
    else if (value !== undefined && !isOmitted(value)) entries.push([field, value])
  }
  return Object.fromEntries(entries)
}

function isOmitted (value: GoValue): boolean {
  return value === '' || value === false ||
    (Array.isArray(value) && value.length === 0) ||
    (value instanceof Map && value.size === 0)
}

function textField (fields: ReadonlyMap<string, GoValue>, field: string): string {
  return (fields.get(field) as string | undefined) ?? ''
}

function validate (fields: ReadonlyMap<string, GoValue>): string | undefined {
  const name = textField(fields, 'name')
  const version = textField(fields, 'version')
  if (name === '') return 'validation: chart.metadata.name is required'
  if (name.includes('/')) return `validation: chart.metadata.name ${JSON.stringify(name)} is invalid`
  if (version === '') return 'validation: chart.metadata.version is required'
  if (parseVersion(version) === undefined) {
    return `validation: chart.metadata.version ${JSON.stringify(version)} is invalid`
  }
  if (!['', 'application', 'library'].includes(textField(fields, 'type'))) {
    return 'validation: chart.metadata.type must be application or library'
  }
  const maintainers = fields.get('maintainers') as readonly GoValue[] | undefined
  if (maintainers?.includes(null) === true) return 'validation: maintainers must not contain empty or null nodes'
  const dependencies = fields.get('dependencies') ?? []
  return validateDependencies(dependencies as readonly (Readonly<Record<string, string>> | null)[])
}

function validateDependencies (dependencies: readonly (Readonly<Record<string, string>> | null)[]): string | undefined {
  const seen = new Set<string>()
  for (const dependency of dependencies) {
    if (dependency === null) return 'validation: dependencies must not contain empty or null nodes'
    const { name = '', alias = '' } = dependency
    if (alias !== '' && !/^[a-zA-Z0-9_-]+$/.test(alias)) {
      return `validation: dependency ${JSON.stringify(name)} has disallowed characters in the alias`
    }
    const key = alias === '' ? name : alias
    if (seen.has(key)) return `validation: more than one dependency with name or alias ${JSON.stringify(key)}`
    seen.add(key)
  }
  return undefined
}

/** Every white space becomes a space, and what cannot be printed goes (Go's unicode.IsPrint). */
function sanitize (value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value
  return value.replace(/\p{White_Space}/gu, ' ').replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '')
}
