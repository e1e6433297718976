// Which keys of the configuration take effect while the gateway runs, and what does a key
// that does not keep? One row for each key; the compiler misses one that is missing.
import { leaves } from '../files/nodes.ts'
import { ConfigSchema, type ConfigFile } from './schema.ts'
import type { Mapping } from '../files/yaml.ts'

export const RELOADS = {
  live: 'at once',
  file: 'at once; from none to one, and back, at a restart',
  restart: 'at a restart'
} as const

export type Reloads = keyof typeof RELOADS

type Keys<T, Place extends string = ''> = T extends readonly unknown[]
  ? Place
  : T extends object
    ? { [K in keyof T & string]: Keys<T[K], `${Place}${Place extends '' ? '' : '.'}${K}`> }[keyof T & string]
    : Place

/** A key in people's notation: listen.tls.cert. */
export type ConfigKey = Keys<ConfigFile>

export const RELOAD_OF: Readonly<Record<ConfigKey, Reloads>> = {
  'listen.host': 'restart',
  'listen.port': 'restart',
  'listen.maxConnections': 'live',
  'listen.maxConnectionsPerAddress': 'live',
  'listen.tls.cert': 'file',
  'listen.tls.key': 'file',
  'listen.tls.minVersion': 'live',
  'listen.tls.clientCa': 'file',
  'admin.host': 'restart',
  'admin.port': 'restart',
  'admin.tls.cert': 'file',
  'admin.tls.key': 'file',
  'admin.token': 'live',
  'authz.listen.host': 'restart',
  'authz.listen.port': 'restart',
  'authz.trustedProxies': 'live',
  'authz.dialect': 'restart',
  'authz.push': 'live',
  publicUrl: 'restart',
  trustedProxies: 'live',
  workers: 'restart',
  'drain.delay': 'live',
  stateDir: 'restart',
  'upstream.url': 'restart',
  'upstream.urls': 'restart',
  'upstream.auth': 'restart',
  'upstream.username': 'live',
  'upstream.password': 'live',
  'upstream.key.file': 'restart',
  'upstream.tls.ca': 'live',
  'upstream.tls.cert': 'live',
  'upstream.tls.key': 'live',
  'upstream.tls.serverName': 'live',
  'redis.url': 'restart',
  'redis.sentinel': 'restart',
  'redis.username': 'restart',
  'redis.password': 'restart',
  'redis.tls.ca': 'restart',
  'redis.tls.cert': 'restart',
  'redis.tls.key': 'restart',
  'charts.depth': 'restart',
  'charts.contextPath': 'restart',
  'charts.maxUploadSize': 'live',
  'charts.allowOverwrite': 'live',
  'charts.chartPostFormFieldName': 'live',
  'charts.provPostFormFieldName': 'live',
  'charts.spool.maxBytes': 'live',
  'charts.index.maxAge': 'live',
  'charts.index.maxBytes': 'live',
  'oci.enabled': 'restart',
  'oci.atRoot': 'restart',
  'oci.attachments.perChart': 'live',
  'oci.attachments.maxBytes': 'live',
  'tokens.ttl': 'restart',
  'tokens.issuer': 'restart',
  'tokens.service': 'restart',
  'tokens.keys': 'live',
  'tokens.issuers': 'live',
  'limits.logins.perAccount': 'live',
  'limits.logins.perAddress': 'live',
  'limits.logins.within': 'live',
  masterKey: 'live',
  allowDemoKey: 'live',
  'log.level': 'live',
  'log.reads': 'live',
  'audit.file': 'live',
  'audit.reads': 'live',
  'audit.required': 'live',
  'metrics.tenants': 'live',
  'accounts.files': 'live',
  'identity.certificates': 'live',
  'federation.providers': 'live',
  'federation.rules': 'live',
  policy: 'live'
}

/** Why a restart has to, where it is not plain. */
export const WHY_A_RESTART: Readonly<Partial<Record<ConfigKey, string>>> = {
  publicUrl: 'tokens, challenges and links of all gateways and clients name it',
  'upstream.key.file': 'ChartMuseum reads the other half when it starts, and never again',
  'tokens.ttl': 'who issues and who verifies have to agree before a token is issued'
}

/**
 * What was written, or is the default, by key: what it says before anything follows from it.
 * Without the policy, which may be long, and is compared where it is compiled.
 */
export type Written = Readonly<Record<string, unknown>>

/** @param values the file's form, with every default */
export function writtenIn (values: ConfigFile): Written {
  return Object.fromEntries(leaves(ConfigSchema)
    .map(({ path }) => [path.join('.'), valueAt(values, path)] as const)
    .filter(([key]) => key !== 'policy'))
}

/** The same values with those that a restart alone changes as they were, of a file whether there is one. */
export function withHeld (values: ConfigFile, held: Written): ConfigFile {
  const mixed = structuredClone({ ...values, policy: [] })
  for (const { path } of leaves(ConfigSchema)) {
    const key = path.join('.')
    if (isLive(key) || !Object.hasOwn(held, key)) continue
    const isKept = RELOAD_OF[key as ConfigKey] === 'restart' || (valueAt(values, path) === '') !== (held[key] === '')
    if (isKept) putAt(mixed, path, held[key])
  }
  return { ...mixed, policy: values.policy }
}

/** True for a key that takes effect at once, as it is written. */
export function isLive (key: string): boolean {
  return RELOAD_OF[key as ConfigKey] === 'live'
}

/** The keys that differ, in the order of the schema. */
export function keysChanged (before: Written, after: Written): string[] {
  return Object.keys(after).filter(key => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
}

function valueAt (values: object, path: readonly string[]): unknown {
  return path.reduce<unknown>((place, name) => (place as Mapping)[name], values)
}

function putAt (values: object, path: readonly string[], value: unknown): void {
  (valueAt(values, path.slice(0, -1)) as Mapping)[path.at(-1) as string] = value
}
