// Is the configuration right, and what does it say? Reads file and environment, reports
// every mistake at once with its place, and fills in what was left out.
import { dirname, resolve } from 'node:path'
import { readEnvironment, type Environment } from './environment.ts'
import { readAtRest, readText, type FileText } from '../files/files.ts'
import { inWords, schemaMistakes, unknownKeys, type Mistake } from '../files/mistakes.ts'
import { DEFAULT_URL, ruleMistakes } from './rules.ts'
import { leaves } from '../files/nodes.ts'
import { settleFederation } from './federation.ts'
import { keysChanged, withHeld, writtenIn, type Written } from './reloads.ts'
import { ConfigSchema, type Config, type ConfigFile } from './schema.ts'
import { settleRedis } from './redis.ts'
import { readDuration, readSize, readWorkers } from '../files/units.ts'
import { isMapping, parseYaml, pathOfKey, showPlace, type Mapping } from '../files/yaml.ts'

export type ConfigResult =
  | {
    readonly ok: true
    readonly config: Config
    /** keys that are written otherwise than they are here: a restart alone applies them */
    readonly later?: readonly string[]
  }
  | {
    readonly ok: false
    /** one line each */
    readonly mistakes: readonly string[]
    /** something could not be read, and another try may do */
    readonly again?: boolean
    /** the folder that it names all the same: absolute; left out: nobody knows */
    readonly stateDir?: string | undefined
    /** accounts files that it names all the same: absolute, and mistakes in them can be said too */
    readonly accountsFiles?: readonly string[]
  }

/** How a file is read and understood. */
export interface ConfigReader {
  text (file: string): Promise<FileText>
  config (file: string, text: string, env: Environment, held?: Written): Promise<ConfigResult>
}

const FILES_AT_ONCE: ConfigReader = { text: readText, config: configOf }

/**
 * @param file path of the YAML file; undefined: defaults and environment alone
 * @param env CHARTGATE_* variables; they win over the file
 * @param held what was written in what this process goes by: of that it keeps what a restart alone changes
 */
export async function loadConfig (
  file: string | undefined,
  env: Environment,
  reader = FILES_AT_ONCE,
  held?: Written
): Promise<ConfigResult> {
  if (file === undefined) return await configOf(undefined, '', env, held)
  const read = await reader.text(file)
  if (read.ok) return await reader.config(file, read.text, env, held)
  const { mistakes, values } = await readEnvironment(env, folderOf(file))
  const stateDir = stateDirIn(values, undefined, folderOf(file))
  return { ok: false, mistakes: inWords(file, [read.mistake, ...mistakes], each => each), again: true, stateDir }
}

/**
 * What a text says, with the environment.
 * @param file its name; undefined: there is none
 * @param held as of loadConfig
 */
export async function configOf (
  file: string | undefined,
  text: string,
  env: Environment,
  held?: Written
): Promise<ConfigResult> {
  const fromFile = parseYaml(file ?? '', text)
  const fromEnvironment = await readEnvironment(env, folderOf(file), held === undefined ? readText : readAtRest)
  const unreadable = [...fromFile.mistakes, ...fromEnvironment.mistakes]
  const name = file ?? 'the configuration'
  const failed = (mistakes: readonly string[]): ConfigResult => ({
    ok: false,
    mistakes,
    again: fromEnvironment.again,
    stateDir: stateDirIn(fromEnvironment.values, fromFile.value, folderOf(file)),
    accountsFiles: accountsFilesIn(fromFile.value, folderOf(file))
  })
  if (fromFile.value === undefined) return failed(inWords(name, unreadable, each => each))

  const { value: merged, placeOf, isBlank } = fromFile
  const unknown = unknownKeys(merged, ConfigSchema)
  for (const { path, value } of fromEnvironment.values) putDeep(merged, path, value)
  for (const { path, node } of leaves(ConfigSchema)) putDeep(merged, path, node.default, true)
  const wrong = schemaMistakes(merged, ConfigSchema)
  const values = merged as unknown as ConfigFile
  const broken = ruleMistakes(values, [...unknown, ...wrong].map(({ key }) => key))

  const variables = new Map(fromEnvironment.values.map(({ path, variable }) => [path.join('.'), variable]))
  const line = ({ key, sentence }: Mistake): string => {
    const variable = variables.get(key)
    if (variable !== undefined) return `${key}: ${sentence} (from ${variable})`
    return `${file === undefined ? '' : `${showPlace(file, placeOf(pathOfKey(key)))}: `}${key}: ${sentence}`
  }
  const mistakes = [...unreadable, ...unknown, ...wrong, ...broken]
  if (mistakes.length > 0) return failed(inWords(name, mistakes, each => typeof each === 'string' ? each : line(each)))
  const mixed = held === undefined ? values : withHeld(values, held)
  const later = keysChanged(writtenIn(mixed), writtenIn(values))
  // What is right as a whole may not be with a part of what was there before.
  const clashes = later.length === 0 ? [] : ruleMistakes(mixed, [])
  if (clashes.length > 0) {
    const restart = `; a restart applies it, with ${later.join(', ')}`
    return failed(inWords(name, clashes, each => line(each) + restart))
  }
  const sources = {
    file: file === undefined ? undefined : resolve(file),
    isBlank,
    secretFiles: fromEnvironment.files,
    lineOfRule: (i: number) => placeOf(['policy', i]).line
  }
  return { ok: true, config: settle(mixed, sources), later }
}

/** What relative paths are relative to. */
function folderOf (file: string | undefined): string {
  return file === undefined ? process.cwd() : dirname(resolve(file))
}

/**
 * The stateDir that is named where other values may be wrong.
 * @param values what the file says, with the environment and the defaults; undefined: it cannot be understood
 */
function stateDirIn (
  variables: Awaited<ReturnType<typeof readEnvironment>>['values'],
  values: Mapping | undefined,
  folder: string
): string | undefined {
  const named = values === undefined
    ? variables.find(({ path }) => path.join('.') === 'stateDir')?.value
    : values['stateDir']
  return typeof named === 'string' && named !== '' ? resolve(folder, named) : undefined
}

/** The accounts files that are named in values of which others may be wrong. */
function accountsFilesIn (values: Mapping | undefined, folder: string): readonly string[] {
  const accounts = values?.['accounts']
  const files = isMapping(accounts) ? accounts['files'] : undefined
  return Array.isArray(files)
    ? files.flatMap((each: unknown) => typeof each === 'string' && each !== '' ? [resolve(folder, each)] : [])
    : []
}

/** Sets a value deep in the mapping; what is no mapping on the way is left for the schema to complain about. */
function putDeep (root: Mapping, path: readonly string[], value: unknown, onlyIfMissing = false): void {
  let place: unknown = root
  for (const name of path.slice(0, -1)) {
    if (!isMapping(place)) return
    place[name] ??= {}
    place = place[name]
  }
  const last = path.at(-1) as string
  if (isMapping(place) && !(onlyIfMissing && place[last] !== undefined && place[last] !== null)) place[last] = value
}

/** The same with files that do not depend on where somebody is; one that is not named is left out. */
function absolute<T extends object> (named: T, base: string): T {
  return Object.fromEntries(Object.entries(named)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => [name, FILES.has(name) ? resolve(base, String(value)) : value as unknown])) as T
}

const FILES: ReadonlySet<string> = new Set(['cert', 'key', 'ca', 'clientCa'])

interface Sources extends Pick<Config, 'isBlank' | 'secretFiles'> {
  readonly file: string | undefined
  readonly lineOfRule: (i: number) => number
}

/** From the file's words to what the program works with. */
function settle (values: ConfigFile, { file, isBlank, secretFiles, lineOfRule }: Sources): Config {
  const { authz, redis: ofRedis, ...others } = values
  const { charts, limits, tokens, upstream: { key, tls: toUpstream, url, urls, ...upstream } } = values
  const [first, ...further] = (url === '' ? urls : [url]).map(each => new URL(each).origin)
  const { tls, ...listen } = values.listen
  const { tls: ofAdmin, token, ...admin } = values.admin
  const base = folderOf(file)
  const isDefault = values.publicUrl === DEFAULT_URL
  const scheme = tls.cert === '' ? 'http' : 'https'
  const publicUrl = (isDefault ? `${scheme}://localhost:${values.listen.port}` : values.publicUrl).replace(/\/$/, '')
  const { pathname, host } = new URL(publicUrl)
  const redis = settleRedis(ofRedis, named => absolute(named, base))
  return {
    ...others,
    ...(authz.dialect === 'none' || authz.listen.port === 0 ? {} : { authz: { ...authz, dialect: authz.dialect } }),
    ...(redis === undefined ? {} : { redis }),
    ...(file === undefined ? {} : { file }),
    isBlank,
    secretFiles,
    written: writtenIn(values),
    publicUrl,
    basePath: pathname === '/' ? '' : pathname,
    oci: {
      enabled: values.oci.enabled === 'auto' ? pathname === '/' || values.oci.atRoot : values.oci.enabled,
      attachments: { ...values.oci.attachments, maxBytes: readSize(values.oci.attachments.maxBytes) }
    },
    workers: readWorkers(values.workers),
    drain: { delay: readDuration(values.drain.delay) },
    stateDir: resolve(base, values.stateDir),
    listen: { ...listen, ...(tls.cert === '' ? {} : { tls: absolute(tls, base) }) },
    admin: {
      ...admin,
      ...(ofAdmin.cert === '' ? {} : { tls: absolute(ofAdmin, base) }),
      ...(token === '' ? {} : { token })
    },
    audit: {
      reads: values.audit.reads,
      required: values.audit.required,
      ...(values.audit.file === '' ? {} : { file: resolve(base, values.audit.file) })
    },
    accounts: { files: values.accounts.files.map(each => resolve(base, each)) },
    federation: settleFederation(values.federation, base),
    policy: values.policy.map((rule, i) => ({ ...rule, line: lineOfRule(i) })),
    upstream: {
      ...upstream,
      url: first,
      further,
      ...(key.file === '' ? {} : { keyFile: resolve(base, key.file) }),
      ...(Object.values(toUpstream).every(each => each === '') ? {} : { tls: absolute(toUpstream, base) })
    },
    charts: {
      ...charts,
      maxUploadSize: readSize(charts.maxUploadSize),
      spool: { maxBytes: readSize(charts.spool.maxBytes) },
      index: { maxAge: readDuration(charts.index.maxAge), maxBytes: readSize(charts.index.maxBytes) }
    },
    limits: { logins: { ...limits.logins, within: readDuration(limits.logins.within) } },
    tokens: {
      ttl: readDuration(tokens.ttl),
      issuer: tokens.issuer === '' ? publicUrl : tokens.issuer,
      service: tokens.service === '' ? host : tokens.service,
      keys: tokens.keys.map(key => ({ ...key, file: resolve(base, key.file) })),
      issuers: tokens.issuers.map(({ publicKey, jwksFile, clockSkew, ...issuer }) => ({
        ...issuer,
        ...(clockSkew === undefined ? {} : { clockSkew: readDuration(clockSkew) }),
        ...(publicKey === undefined ? {} : { publicKey: resolve(base, publicKey) }),
        ...(jwksFile === undefined ? {} : { jwksFile: resolve(base, jwksFile) })
      }))
    }
  }
}
