// Is the configuration right, and what does it say? Reads file and environment,
// reports every mistake at once with its place, and fills in what was left out. Asked
// by every command that needs a configuration.
import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, resolve } from 'node:path'
import { isIP } from 'node:net'
import Value from 'typebox/value'
import { LineCounter, parseDocument } from 'yaml'
import { readEnvironment } from './environment.ts'
import { ConfigSchema, leaves, type Config, type ConfigFile, type SchemaNode } from './schema.ts'
import { readDuration, readSize } from './units.ts'

export type ConfigResult =
  | { readonly ok: true, readonly config: Config }
  | { readonly ok: false, /** one line each */ readonly mistakes: readonly string[] }

export type Environment = Readonly<Record<string, string | undefined>>
type Mapping = Record<string, unknown>

const DEMO_KEY = 'MASTERKEY'
const SHORTEST_KEY = 16
const SHORTEST_TTL = 60

/**
 * @param file path of the YAML file; undefined: defaults and environment alone
 * @param env CHARTGATE_* variables; they win over the file
 */
export async function loadConfig (file: string | undefined, env: Environment): Promise<ConfigResult> {
  const read = file === undefined ? { value: {}, mistakes: [] } : await readYaml(file)
  if (read.value === undefined) return { ok: false, mistakes: read.mistakes }
  const unknown = unknownKeys(read.value, ConfigSchema as SchemaNode, '')
  const fromEnvironment = await readEnvironment(env)
  const merged = read.value
  for (const { path, value } of fromEnvironment.values) put(merged, path, value)
  for (const { path, node } of leaves()) put(merged, path, node.default, true)
  const mistakes = [...read.mistakes, ...unknown, ...fromEnvironment.mistakes, ...schemaMistakes(merged)]
  if (mistakes.length > 0) return { ok: false, mistakes }
  const values = merged as unknown as ConfigFile
  const base = file === undefined ? process.cwd() : dirname(resolve(file))
  const rules = ruleMistakes(values)
  return rules.length > 0 ? { ok: false, mistakes: rules } : { ok: true, config: settle(values, base) }
}

async function readYaml (file: string): Promise<{ value: Mapping | undefined, mistakes: string[] }> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    return { value: undefined, mistakes: [`${file}: the configuration file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`] }
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  // The parser's sentences do not quote the file.
  const faults = document.errors.map(error => `${file}:${lines.linePos(error.pos[0]).line}: ${error.message}`)
  if (faults.length > 0) return { value: undefined, mistakes: faults }
  const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {}
  return isMapping(value) ? { value, mistakes: [] } : { value: undefined, mistakes: [`${file}: a configuration is a mapping of keys to values`] }
}

function isMapping (value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Sets a value deep in the mapping; what is no mapping on the way is left for the schema to complain about. */
function put (root: Mapping, path: readonly string[], value: unknown, onlyIfMissing = false): void {
  let place: unknown = root
  for (const name of path.slice(0, -1)) {
    if (!isMapping(place)) return
    place[name] ??= {}
    place = place[name]
  }
  const last = path.at(-1) as string
  if (isMapping(place) && !(onlyIfMissing && place[last] !== undefined && place[last] !== null)) place[last] = value
}

function unknownKeys (value: unknown, node: SchemaNode, path: string): string[] {
  if (Array.isArray(value)) return node.items === undefined ? [] : value.flatMap((each, i) => unknownKeys(each, node.items as SchemaNode, `${path}[${i}]`))
  const known = node.properties
  if (!isMapping(value) || known === undefined) return []
  return Object.entries(value).flatMap(([name, child]) => {
    const place = path === '' ? name : `${path}.${name}`
    const next = known[name]
    if (next !== undefined) return unknownKeys(child, next, place)
    const near = Object.keys(known).find(each => distance(each.toLowerCase(), name.toLowerCase()) <= 2)
    return [`${place}: unknown key${near === undefined ? `; known here: ${Object.keys(known).join(', ')}` : `: did you mean ${near}?`}`]
  })
}

/** Levenshtein's, for short words. */
function distance (a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) next.push(Math.min((next[j] as number) + 1, (row[j + 1] as number) + 1, (row[j] as number) + Number(letter !== b[j])))
    row = next
  }
  return row[b.length] as number
}

/** One line for each value that is not what its key expects. */
function schemaMistakes (value: Mapping): string[] {
  const places = new Set<string>()
  for (const { keyword, instancePath } of Value.Errors(ConfigSchema, value)) {
    // Unknown keys have been named already: a key that is not allowed has the schema `false`.
    if (keyword !== 'additionalProperties' && keyword !== 'boolean') places.add(instancePath)
  }
  const deepest = [...places].filter(place => ![...places].some(other => other.startsWith(place + '/')))
  return deepest.map(pointer => describeMistake(value, pointer.split('/').slice(1)))
}

function describeMistake (value: unknown, parts: readonly string[]): string {
  let node: SchemaNode | undefined = ConfigSchema as SchemaNode
  let place = ''
  for (const part of parts) {
    const list = Array.isArray(value)
    value = (value as Mapping | undefined)?.[part]
    node = list ? node?.items : node?.properties?.[part]
    place += list ? `[${part}]` : place === '' ? part : `.${part}`
  }
  const shown = node?.secret === true ? 'this value' : JSON.stringify(value) ?? 'nothing'
  return `${place}: ${shown} is not ${node?.expected ?? 'a mapping of keys to values'}`
}

/** What the schema cannot say: rules between values. */
function ruleMistakes (values: ConfigFile): string[] {
  const { listen, upstream, masterKey, allowDemoKey, tokens, trustedProxies, admin } = values
  const mistakes: string[] = []
  const add = (bad: boolean, sentence: string): void => { if (bad) mistakes.push(sentence) }
  add(readDuration(tokens.ttl) < SHORTEST_TTL, `tokens.ttl: "${tokens.ttl}" is not a duration of at least ${SHORTEST_TTL}s: clients ask for a new token at most once a minute`)
  add(!isUrl(values.publicUrl, true) && values.publicUrl !== defaultUrl, `publicUrl: "${withoutPassword(values.publicUrl)}" is not an http or https URL without user, query and fragment`)
  add(upstream.url !== '' && !isUrl(upstream.url, false), `upstream.url: "${withoutPassword(upstream.url)}" is not an http or https URL without user, path and query (charts.contextPath is for the path)`)
  add(upstream.auth === 'basic' && (upstream.username === '' || upstream.password === ''), 'upstream.auth: basic needs upstream.username and upstream.password')
  for (const [i, proxy] of trustedProxies.entries()) add(!isNetwork(proxy), `trustedProxies[${i}]: "${proxy}" is not an IP address or CIDR`)
  add(listen.port !== 0 && listen.port === admin.port && listen.host === admin.host, `admin.port: ${admin.port} is the port of the public listener too`)
  add(masterKey === DEMO_KEY && !allowDemoKey && !isLoopback(listen.host), `masterKey: the demo's key works on loopback only, and listen.host is "${listen.host}": set another masterKey, or allowDemoKey for a walkthrough`)
  add(masterKey !== '' && masterKey !== DEMO_KEY && masterKey.length < SHORTEST_KEY, `masterKey: it is shorter than ${SHORTEST_KEY} characters; make one with: openssl rand -hex 32`)
  return mistakes
}

const defaultUrl = leaves().find(({ path }) => path.join('.') === 'publicUrl')?.node.default as string

function isUrl (text: string, withPath: boolean): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, search, hash, username, password, pathname } = new URL(text)
  return (protocol === 'http:' || protocol === 'https:') && search + hash + username + password === '' &&
    (withPath ? /^(\/[A-Za-z0-9][A-Za-z0-9._-]*)*\/?$/.test(pathname) : pathname === '/')
}

function withoutPassword (url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//…@')
}

function isNetwork (text: string): boolean {
  const [address, bits, ...more] = text.split('/') as [string, string | undefined]
  const family = isIP(address)
  return family !== 0 && more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)))
}

function isLoopback (host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** From the file's words to what the program works with. */
function settle (values: ConfigFile, base: string): Config {
  const { charts, tokens, upstream } = values
  const publicUrl = (values.publicUrl === defaultUrl ? `http://localhost:${values.listen.port}` : values.publicUrl).replace(/\/$/, '')
  const { pathname, host } = new URL(publicUrl)
  return {
    ...values,
    publicUrl,
    basePath: pathname === '/' ? '' : pathname,
    stateDir: isAbsolute(values.stateDir) ? values.stateDir : resolve(base, values.stateDir),
    upstream: { ...upstream, url: upstream.url === '' ? undefined : new URL(upstream.url).origin },
    charts: {
      ...charts,
      maxUploadSize: readSize(charts.maxUploadSize),
      spool: { maxBytes: readSize(charts.spool.maxBytes) },
      index: { maxBytes: readSize(charts.index.maxBytes) }
    },
    tokens: { ttl: readDuration(tokens.ttl), issuer: tokens.issuer === '' ? publicUrl : tokens.issuer, service: tokens.service === '' ? host : tokens.service }
  }
}
