// What does Helm make of a Chart.yaml? The fields of chart.Metadata in Go's order, cleaned and
// validated (helm/helm v3.20.2, pkg/chart/metadata.go, dependency.go). Errors are Helm's words.
import type { GoStruct, GoValue } from './go-json.ts'
import type { GoStructType, GoType } from './unmarshal.ts'
import { parseVersion } from './versions.ts'

export interface Metadata extends GoStruct {
  readonly name: string
  readonly version: string
}

export type MetadataResult =
  | { readonly ok: true, readonly metadata: Metadata }
  | { readonly ok: false, readonly message: string }

const STRINGS: GoType = { kind: 'list', of: 'string', name: '[]string' }

const MAINTAINER: GoStructType = {
  kind: 'struct',
  name: 'Maintainer',
  fields: { name: 'string', email: 'string', url: 'string' }
}

const DEPENDENCY: GoStructType = {
  kind: 'struct',
  name: 'Dependency',
  fields: {
    name: 'string',
    version: 'string',
    repository: 'string',
    condition: 'string',
    tags: STRINGS,
    enabled: 'bool',
    'import-values': { kind: 'list', of: 'any', name: '[]interface {}' },
    alias: 'string'
  }
}

const DEPENDENCIES: GoType = { kind: 'list', of: DEPENDENCY, name: '[]*chart.Dependency' }

/** Chart.yaml, and requirements.yaml of a chart made for Helm 2, whose fields win. */
export const METADATA: GoStructType = {
  kind: 'struct',
  name: 'Metadata',
  fields: {
    name: 'string',
    home: 'string',
    sources: STRINGS,
    version: 'string',
    description: 'string',
    keywords: STRINGS,
    maintainers: { kind: 'list', of: MAINTAINER, name: '[]*chart.Maintainer' },
    icon: 'string',
    apiVersion: 'string',
    condition: 'string',
    tags: 'string',
    appVersion: 'string',
    deprecated: 'bool',
    annotations: { kind: 'map', of: 'string', name: 'map[string]string' },
    kubeVersion: 'string',
    dependencies: DEPENDENCIES,
    type: 'string'
  }
}

/** Chart.lock and requirements.lock. */
export const LOCK: GoStructType = {
  kind: 'struct',
  name: 'Lock',
  fields: { generated: 'time', digest: 'string', dependencies: DEPENDENCIES }
}

/** These are written even when they are empty. */
const ALWAYS: ReadonlyMap<GoStructType, readonly string[]> = new Map([[DEPENDENCY, ['name', 'repository']]])
/** These are not cleaned: validated as they are, or nobody's business. */
const RAW: ReadonlyMap<GoStructType, readonly string[]> = new Map([
  [METADATA, ['version', 'apiVersion', 'type', 'annotations']],
  [DEPENDENCY, ['alias', 'import-values']]
])

/** @param read what was read of a chart's files, into one value of METADATA */
export function checkMetadata (read: GoStruct): MetadataResult {
  const metadata = tidy(read, METADATA)
  const message = validate(metadata)
  if (message !== undefined) return { ok: false, message: `validation: ${message}` }
  return { ok: true, metadata: metadata as Metadata }
}

/** Cleaned, with its fields in Go's order, without those that `omitempty` leaves out. */
function tidy (struct: GoStruct, type: GoStructType): GoStruct {
  const raw = RAW.get(type) ?? []
  const always = ALWAYS.get(type) ?? []
  const entries: [string, GoValue][] = []
  for (const [field, of] of Object.entries(type.fields)) {
    const found = struct[field] ?? ''
    const value = raw.includes(field) ? found : clean(found, of)
    if (always.includes(field) || !isOmitted(value)) entries.push([field, value])
  }
  return Object.fromEntries(entries)
}

function clean (value: GoValue, type: GoType): GoValue {
  if (typeof value === 'string') return sanitize(value)
  if (typeof type === 'string' || value === null) return value
  if (type.kind === 'struct') return tidy(value as GoStruct, type)
  return (value as readonly GoValue[]).map(item => clean(item, type.of))
}

function isOmitted (value: GoValue): boolean {
  return value === '' || value === false ||
    (Array.isArray(value) && value.length === 0) ||
    (value instanceof Map && value.size === 0)
}

function fieldText (struct: GoStruct, field: string): string {
  return (struct[field] as string | undefined) ?? ''
}

function structsOf (struct: GoStruct, field: string): readonly (GoStruct | null)[] {
  return (struct[field] as readonly (GoStruct | null)[] | undefined) ?? []
}

function validate (metadata: GoStruct): string | undefined {
  const name = fieldText(metadata, 'name')
  const version = fieldText(metadata, 'version')
  if (fieldText(metadata, 'apiVersion') === '') return 'chart.metadata.apiVersion is required'
  if (name === '') return 'chart.metadata.name is required'
  if (name === '.' || name === '..') return `chart.metadata.name ${JSON.stringify(name)} is not allowed`
  if (name.includes('/')) return `chart.metadata.name ${JSON.stringify(name)} is invalid`
  if (version === '') return 'chart.metadata.version is required'
  if (parseVersion(version) === undefined) return `chart.metadata.version ${JSON.stringify(version)} is invalid`
  if (!['', 'application', 'library'].includes(fieldText(metadata, 'type'))) {
    return 'chart.metadata.type must be application or library'
  }
  if (structsOf(metadata, 'maintainers').includes(null)) return 'maintainers must not contain empty or null nodes'
  return validateDependencies(structsOf(metadata, 'dependencies'))
}

function validateDependencies (dependencies: readonly (GoStruct | null)[]): string | undefined {
  const seen = new Set<string>()
  for (const dependency of dependencies) {
    if (dependency === null) return 'dependencies must not contain empty or null nodes'
    const name = fieldText(dependency, 'name')
    const alias = fieldText(dependency, 'alias')
    if (alias !== '' && !/^[a-zA-Z0-9_-]+$/.test(alias)) {
      return `dependency ${JSON.stringify(name)} has disallowed characters in the alias`
    }
    const key = alias === '' ? name : alias
    if (seen.has(key)) return `more than one dependency with name or alias ${JSON.stringify(key)}`
    seen.add(key)
  }
  return undefined
}

/** Every white space becomes a space, and what cannot be printed goes (Go's unicode.IsPrint). */
function sanitize (value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value
  return value.replace(/\p{White_Space}/gu, ' ').replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '')
}
