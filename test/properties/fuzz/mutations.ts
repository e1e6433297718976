// What is done to a valid request? Each mutation takes two numbers, where and what. The
// table's rows come from published ways around gateways, and from what ChartMuseum's
// matcher takes for something else than it looks like (pkg/chartmuseum/router/match.go).
import { pick, randomBytes, type Cast, type Draft } from './draft.ts'
import { HEADER_MUTATORS } from './header-mutations.ts'
import { neighbours, type World } from './worlds.ts'

export type Mutator = (draft: Draft, at: number, what: number, cast: Cast) => void

const DOTS = ['..', '..', '.', '%2e%2e', '%2E%2E', '.%2e', '%2e.', '%2e', '..;', '..%00', '%252e%252e', '...', '..%2f', '..%5c', '%c0%ae%c0%ae', '..%3b', '. .', '..\\']
const SEPARATORS = ['//', '/./', '%2f', '%2F', '\\', '%5c', '%5C', '%252f', '/%2e/', '///', '/;/', '%00/', '/\t', '%c0%af', '/../', '/x/../', '/%2e%2e/', '%2f..%2f', ';/', '/*/', '%']
const SPECIALS = [';', '\\', '?', '#', '%', '%00', '%0a', '%0d%0a', '%09', '%20', '\r\n', '\n', ' ', '\t', '\0', '\x7f', '\xe9', '\xc3\xa9', '@', ':', '*', '~', '^', '+', '%2B', '%2b', '%5E', '%5e', '"', "'", '`', '|', '&', '=', '$', '{', '}', '(', ')', '<', '>', ',', '!', '[', ']', '%u002e', '%zz', '%2', '%EF%BC%8F', '%E2%80%AE']
const QUERIES = [
  '?force', '?force=', '?force=false', '?%66orce=1', '?a;force', '?a&force', '?FORCE', '?force%00', '?force&offset=0', '?x=/health', '?/../../org2/repo2/index.yaml', '?repo=org2/repo2', '?tenant=org2/repo2',
  '?offset=%2e%2e%2f&limit=9', '?limit=1&limit=2', '?limit=1%26repo=org2', '?', '??', '?=&', '?%', '?_method=DELETE', '?x=%0d%0aX: y', '?offset=1#/health'
]
const FRAGMENTS = ['#', '#/health', '%23/health', '#/../org2/repo2', '#?force']
const RESERVED = ['api', 'oauth', 'v2', 'authz', 'health', 'info', 'metrics', 'static', 'static-x', 'charts', 'index.yaml', 'artifacthub-repo.yml', 'prov', 'templates', 'values', 'token', 'forward', 'index', 'file', 'upload', 'delete', 'refused', '.well-known']
const PREFIXES = ['/helm', '/cm', '/helmx', '/cmx', '/helm/cm', '/cm/helm', '/helm/..', '/cm/..', '/HELM', '/helm%2f', '/', '/api', '/forward', '/health/..', '/static/..', '/x/..', '/.']
const ENDINGS = ['.yaml', '.tgz', '.prov', '.tgz.prov', '.yml', '/', '/index.yaml', '/charts', '/.', '/..', '.json', '%00.tgz', ';.tgz', '/charts/mychart-0.1.0.tgz', '/values', '%2e']
const METHODS = ['HEAD', 'HEAD', 'GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'get', 'GETT', '', 'QUERY', 'PRI', 'PURGE', 'MOVE', 'COPY']
const VERSIONS = ['HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/1.1 ', 'http/1.1', 'HTTP/1.2', '', 'HTTP/1.1\r\nX: y', 'RTSP/1.0']
const AUTHORITIES = ['http://charts.example.test', 'http://127.0.0.1', 'https://127.0.0.1:1', '//charts.example.test', '//', 'http:', 'file://', 'http://org2@charts.example.test', 'charts.example.test:80', 'http:///', '*', '?', '#']

/** Cuts the path into segments, lets them be changed, and puts it together; the query stays. */
function segments (draft: Draft, change: (parts: string[]) => void): void {
  const mark = draft.target.indexOf('?')
  const path = mark < 0 ? draft.target : draft.target.slice(0, mark)
  const parts = path.slice(1).split('/')
  change(parts)
  draft.target = '/' + parts.join('/') + (mark < 0 ? '' : draft.target.slice(mark))
}

/** Replaces `length` characters of the target. */
function splice (draft: Draft, at: number, length: number, text: string): void {
  const place = at % (draft.target.length + 1)
  draft.target = draft.target.slice(0, place) + text + draft.target.slice(place + length)
}

/** Replaces the `at`-th slash of the target. */
function replaceSlash (draft: Draft, at: number, text: string): void {
  const places = [...draft.target.matchAll(/\//g)].map(match => match.index)
  if (places.length === 0) return
  splice(draft, pick(places, at), 1, text)
}

function encode (text: string, what: number): string {
  const hex = text.charCodeAt(0).toString(16).padStart(2, '0')
  return pick([`%${hex}`, `%${hex.toUpperCase()}`, `%25${hex}`, `%u00${hex}`, `%c1%${(0x80 | (text.charCodeAt(0) & 0x3f)).toString(16)}`, `%2525${hex}`], what)
}

/** Puts the way to a neighbour in front of a segment: up and down, or down alone. @param at -1 is the last segment */
function climb (draft: Draft, at: number, what: number, world: World, slashes: readonly string[]): void {
  const slash = pick(slashes, what >>> 10)
  const up = Array<string>((what >>> 5) % 4).fill(pick(['..', '%2e%2e', '.%2e', '%2E.'], what >>> 8))
  const way = [...up, ...pick(neighbours(world), what).split('/'), ...((what >>> 13) % 2 === 0 ? ['charts'] : [])].join(slash)
  segments(draft, parts => {
    const place = at < 0 ? parts.length - 1 : at % parts.length
    parts[place] = way + slash + (parts[place] as string)
  })
}

const TARGET_MUTATORS: readonly Mutator[] = [
  (draft, at, what) => { segments(draft, parts => { parts.splice(at % (parts.length + 1), 0, pick(DOTS, what)) }) },
  (draft, at, what) => { segments(draft, parts => { parts[at % parts.length] = pick(DOTS, what) }) },
  (draft, at, what, { world }) => { climb(draft, at, what, world, ['/', '/', '%2f', '%2F', '\\', '%5c']) },
  (draft, _at, what, { world }) => { climb(draft, -1, what, world, ['%2f', '%2F']) },
  (draft, _at, what, { world }) => { climb(draft, -1, what, world, ['%2F', '%252f', '%5c']) },
  // one segment for us, several for who decodes it
  (draft, at, what) => {
    const place = at % (draft.target.length + 1)
    draft.target = draft.target.slice(0, place) + draft.target.slice(place).replaceAll('/', pick(['%2f', '%2F', '%5c', '\\', '%252f'], what))
  },
  (draft, at, what) => { replaceSlash(draft, at, pick(SEPARATORS, what)) },
  (draft, at, what) => { replaceSlash(draft, at, pick(SEPARATORS, what)) },
  (draft, at, what) => {
    const place = at % draft.target.length
    if (draft.target.length > 0) splice(draft, place, 1, encode(draft.target[place] as string, what))
  },
  (draft, at) => {
    const place = at % (draft.target.length + 1)
    const letter = draft.target[place] ?? ''
    splice(draft, place, 1, letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase())
  },
  (draft, at, what) => { splice(draft, at, 0, pick(SPECIALS, what)) },
  (draft, at, what) => { splice(draft, at, 1, pick(SPECIALS, what)) },
  (draft, _at, what) => { draft.target += pick(QUERIES, what) },
  (draft, _at, what) => { draft.target = draft.target.replace(/\?.*$/s, '') + pick(QUERIES, what) },
  (draft, at, what) => { splice(draft, at % 3 === 0 ? draft.target.length : at, 0, pick(FRAGMENTS, what)) },
  (draft, at, what) => { draft.target = pick(AUTHORITIES, what) + (at % 5 === 0 ? '' : draft.target) },
  (draft, at, what) => { draft.target = pick(PREFIXES, what) + (at % 2 === 0 ? draft.target : draft.target.replace(/^\/[^/]*/, '')) },
  // ChartMuseum takes the literal `:repo` of its own templates for the storage's root
  (draft, _at, what, { world }) => { draft.target = draft.target.replace(world.folder === '' ? '/' : world.folder, pick([':repo', '/:repo', '%3arepo', ':repo/:repo'], what)) },
  (draft, at, what) => { segments(draft, parts => { parts.splice(at % (parts.length + 1), 0, pick(RESERVED, what)) }) },
  (draft, at, what) => { segments(draft, parts => { parts[at % parts.length] = pick(RESERVED, what) }) },
  (draft, _at, what, { world }) => { draft.target = draft.target.replace(world.folder === '' ? '/' : world.folder, pick(neighbours(world), what)) },
  (draft, at, what, { world }) => { segments(draft, parts => { parts.splice(at % (parts.length + 1), what % 2, pick(neighbours(world), what >>> 1)) }) },
  (draft, at, what, { world }) => { segments(draft, parts => { parts[at % parts.length] = pick(pick(neighbours(world), what).split('/'), what >>> 8) }) },
  (draft, at) => { draft.target = draft.target.slice(0, at % (draft.target.length + 1)) },
  (draft, at, what) => { splice(draft, at, 0, draft.target.slice(what % (draft.target.length + 1)).slice(0, 1 + (what >>> 8) % 30)) },
  (draft, at, what) => { splice(draft, at, 1 + what % 8, '') },
  (draft, at, what) => { splice(draft, at, what % 3, randomBytes(what).toString('latin1').slice(0, 1 + (what >>> 4) % 6)) },
  (draft, _at, what) => { draft.target += pick(ENDINGS, what) },
  (draft, at, what) => { segments(draft, parts => { [parts[at % parts.length], parts[what % parts.length]] = [parts[what % parts.length] as string, parts[at % parts.length] as string] }) },
  // ChartMuseum takes `/<tenant>/api/…` for `/api/<tenant>/…`
  (draft, at) => { segments(draft, parts => { parts.splice(at % parts.length, 0, ...parts.splice(0, 1)) }) },
  (draft, at, what) => { if (what % 8 === 0) splice(draft, at, 0, pick(['a', '/a', '../', '%2e%2e/'], what >>> 3).repeat(1 + (what >>> 8) % 3000)) }
]

const REQUEST_MUTATORS: readonly Mutator[] = [
  (draft, _at, what) => { draft.method = pick(METHODS, what) },
  (draft, _at, what) => { draft.version = pick(VERSIONS, what) },
  // any byte of the whole request: changed, left out, or another one in front of it
  (draft, at, what) => {
    draft.late.push(bytes => {
      const place = at % bytes.length
      return Buffer.concat([bytes.subarray(0, place), Buffer.from(what % 3 === 1 ? [] : [what >>> 4 & 0xff]), bytes.subarray(place + (what % 3 === 2 ? 0 : 1))])
    })
  },
  (draft, at) => { draft.late.push(bytes => bytes.subarray(0, at % (bytes.length + 1))) },
  (draft, _at, what, { world }) => {
    draft.late.push(bytes => Buffer.concat([bytes, Buffer.from(`GET ${world.basePath}/${pick(neighbours(world), what)}/index.yaml HTTP/1.1\r\n${draft.headers.join('\r\n')}\r\n\r\n`, 'latin1')]))
  }
]

export const MUTATORS: readonly Mutator[] = [...TARGET_MUTATORS, ...REQUEST_MUTATORS, ...HEADER_MUTATORS]
