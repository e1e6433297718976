// Would the chart repository answer us, and if not, what has to be changed? Asked before
// the first client sees it, and again while something is wrong (contact.ts); each trouble is
// told from the others by what a ChartMuseum says in no other case.
import { RefusalError } from '../http/errors.ts'
import { UPSTREAM_SKEW } from '../chartmuseum/skew.ts'
import { upstreamTarget } from '../chartmuseum/upstream-target.ts'
import { ROOT_TENANT, type Depth } from '../words/tenant.ts'
import { textOf, type UpstreamAnswer } from './answers.ts'
import { alone, gatewayItself } from './asker.ts'
import type { Page, Question, Upstream } from './client.ts'

export type Trouble =
  | 'wrong depth' | 'wrong context path' | 'wrong credentials' | 'clocks differ' | 'another server'
  | 'unwell' | 'no route' | 'unreachable'

export type Contact =
  | { readonly ok: true }
  | { readonly ok: false, readonly trouble: Trouble, /** with what to look at */ readonly sentence: string }

/** Milliseconds. */
const CONTACT_PATIENCE = 2_000
/** Seconds that the clocks of two machines may differ without a word: an answer takes some of them. */
const NOT_WORTH_A_WORD = 5
/** The deepest that a configuration may have (config/schema.ts, charts.depth). */
const DEEPEST = 10

/** What is wrong, without what to look at: of an address that is not `upstream.url`. */
export function whatIsWrong ({ sentence }: Extract<Contact, { readonly ok: false }>): string {
  return sentence.slice(0, sentence.indexOf(': '))
}

const GOOD: Contact = { ok: true }
const bad = (trouble: Trouble, sentence: string): Contact => ({ ok: false, trouble, sentence })

/**
 * Asks for a chart that nobody has: a read of one file, which ChartMuseum authorises and
 * then does not find (pkg/chartmuseum/server/multitenant/storage.go, v0.16.5).
 * @param now seconds since the epoch
 */
export async function firstContact (upstream: Upstream, depth: Depth, now: () => number): Promise<Contact> {
  const target = nobodysFile(depth === 'dynamic' ? 1 : depth)
  try {
    const answer = await upstream.ask({
      method: 'GET',
      target,
      company: alone(gatewayItself(target.tenant)),
      named: false,
      most: 0,
      longer: 'left',
      patience: CONTACT_PATIENCE
    })
    return await contactOf(upstream, { depth, tenant: target.tenant }, answer, now())
  } catch (error) {
    return unreached(error)
  }
}

/** A file in the folder of a tenant that nobody has. */
function nobodysFile (depth: number): Question['target'] {
  const tenantPath = Array<string>(depth).fill('nobody').join('/')
  const tenant = tenantPath === '' ? ROOT_TENANT : tenantPath
  return { route: 'chart-file', tenant, tenantPath, file: 'nothing-0.0.0.tgz', query: {} }
}

interface Asked { readonly depth: Depth, readonly tenant: string }

async function contactOf (
  upstream: Upstream,
  { depth, tenant }: Asked,
  answer: UpstreamAnswer,
  now: number
): Promise<Contact> {
  const { status, headers } = answer
  const error = errorIn(textOf(answer))
  if (status === 404 && error !== undefined && error !== NO_ROUTE) {
    // The tenant that was asked for has one segment, as all have at depth 1.
    return depth === 'dynamic' ? await misplaced(upstream, depth) ?? GOOD : GOOD
  }
  if (status === 401 || status === 403) {
    const challenge = readChallenge(String(headers['www-authenticate']))
    return ((challenge.tenant ?? tenant) === tenant ? undefined : await misplaced(upstream, depth)) ??
      refused(upstream, status, { wants: challenge.scheme, date: String(headers['date']), now })
  }
  if (status >= 500) {
    return bad('unwell', `the chart repository answers ${status}, and serves nobody: its own log may say why, ` +
      'or that of a proxy in front of it')
  }
  return await misplaced(upstream, depth) ?? (error === NO_ROUTE
    ? bad('wrong context path', 'the chart repository answers, and has nothing below ' +
      `charts.contextPath ${shown(upstream.contextPath)}: set it as ChartMuseum is run (--context-path)`)
    : bad('another server', `the chart repository gives an odd answer (${status}${whereTo(headers)}): ` +
      'is there a ChartMuseum at upstream.url?'))
}

/** Of a WWW-Authenticate header: its scheme, where that is one of ours, and the tenant of the scope that it names. */
export function readChallenge (text: string): { readonly scheme: string, readonly tenant: string | undefined } {
  const [, scheme = ''] = /^ ?(basic|bearer)\b/i.exec(text) ?? []
  return { scheme, tenant: /artifact-repository:([^:"]*):/.exec(text)?.[1] }
}

/** What ChartMuseum says before it authorises anything, of a path that is none of its own. */
const NO_ROUTE = 'not found'

/** The `error` of ChartMuseum's JSON, in small letters. */
function errorIn (text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: unknown }
    return typeof error === 'string' ? error.toLowerCase() : undefined
  } catch {
    return undefined
  }
}

/** Of a redirect; without a path and a query, which may hold what is secret. */
function whereTo (headers: Page['headers']): string {
  const location = headers['location']
  return location !== undefined && URL.canParse(location) ? ` to ${new URL(location).origin}` : ''
}

function shown (contextPath: string): string {
  return contextPath === '' ? '""' : contextPath
}

/** Where else a ChartMuseum is, if it is elsewhere than the configuration says. */
async function misplaced (upstream: Upstream, depth: Depth): Promise<Contact | undefined> {
  const { contextPath } = upstream
  if (contextPath !== '' && await isHealthyBelow(upstream, '')) {
    return bad('wrong context path', 'the chart repository is run without a context path, and charts.contextPath is ' +
      `${contextPath}: set charts.contextPath to ""`)
  }
  if (!await isHealthyBelow(upstream, contextPath)) return undefined
  const found = await depthOf(upstream)
  if (found === depth || (found === 'dynamic' && depth !== 'dynamic')) return undefined
  const is = found === undefined ? 'not as charts.depth says' : `with depth ${found}`
  const what = found === undefined ? 'as it is run (--depth)' : `to ${found}`
  return bad('wrong depth', `the chart repository is run ${is}, and charts.depth is ${depth}: set charts.depth ${what}`)
}

/** Its own page, which needs no credential (ChartMuseum's form). */
async function isHealthyBelow (upstream: Upstream, contextPath: string): Promise<boolean> {
  const { status, text } = await upstream.look(`${contextPath}/health`)
  return status === 200 && /^\{"healthy":\s*true\}\s*$/.test(text)
}

/**
 * How many segments name a tenant there: the most at which a file has a route. With two
 * segments less the same path is a tenant's own page (router/match.go). Undefined: at none.
 */
async function depthOf (upstream: Upstream): Promise<Depth | undefined> {
  const isRoute = async (depth: number): Promise<boolean> => {
    const { status, text } = await upstream.look(upstreamTarget(nobodysFile(depth), upstream.contextPath).path)
    return !(status === 404 && errorIn(text) === NO_ROUTE)
  }
  for (let depth = DEEPEST; depth >= 0; depth--) {
    if (!await isRoute(depth)) continue
    return depth === DEEPEST && await isRoute(DEEPEST - 1) ? 'dynamic' : depth
  }
  return undefined
}

interface Refused { readonly wants: string, readonly date: string, readonly now: number }

function refused ({ auth }: Upstream, status: number, { wants, date, now }: Refused): Contact {
  const refusal = `the chart repository does not accept the gateway (${status}): `
  const wanted = wants.toLowerCase()
  if (wanted !== '' && wanted !== auth) {
    return bad('wrong credentials', `${refusal}it asks for ${wants}, and upstream.auth is ${auth}: ` +
      `set upstream.auth to ${wanted}`)
  }
  if (auth === 'basic') {
    return bad('wrong credentials', `${refusal}are upstream.username and upstream.password those that it is run with ` +
      '(--basic-auth-user, --basic-auth-pass)?')
  }
  const key = wanted === 'bearer'
    ? 'does it run with the key of `keys export` (--auth-cert-path)?'
    : 'is upstream.auth right, and for bearer, does it run with the key of `keys export`?'
  const ahead = Math.round(Date.parse(date) / 1000) - now
  if (auth === 'none' || !(Math.abs(ahead) > NOT_WORTH_A_WORD)) { // nor when it says no time
    return bad('wrong credentials', refusal + key)
  }
  const where = `${Math.abs(ahead)} s ${ahead > 0 ? 'ahead of' : 'behind'} ours`
  return bad('clocks differ', `${refusal}its clock is ${where}, ` +
    `and a token counts with up to ${UPSTREAM_SKEW} s: set both clocks right (NTP); if they are, ${key}`)
}

/** Errors whose name says more than their code: undici's for what is no HTTP, and that of AbortSignal.timeout. */
const NAMED: ReadonlySet<string> = new Set(['HTTPParserError', 'TimeoutError'])
const OURS: ReadonlySet<string> = new Set(['upstream_no_room', 'no_descriptors'])

const RUNS = 'is upstream.url right, and does it run? Clients are answered 502 or 503 until it does'

/** What the system or undici says when there was no answer. */
const FAILURES: readonly (readonly [code: RegExp, trouble: Trouble, what: string])[] = [
  [/^(?:ENOTFOUND|EAI_AGAIN)$/, 'no route', 'its name cannot be looked up: is the host in upstream.url right?'],
  [/^(?:EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, 'no route', 'there is no way to the host in upstream.url'],
  [/^(?:UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/, 'no route',
    'nothing comes back from the host in upstream.url: is it the right one, and does a firewall let this one through?'],
  [/^(?:UND_ERR_(?:HEADERS|BODY)_TIMEOUT|TimeoutError)$/, 'unreachable',
    `a connection is taken at upstream.url, and nothing answered within ${CONTACT_PATIENCE / 1000} s`],
  [/CERT|SIGNATURE|^UNABLE_TO_/, 'another server',
    'its certificate is not trusted: is the host in upstream.url the one it is for? ' +
    'upstream.tls.ca is for a certificate authority of your own, upstream.tls.serverName for another name'],
  [/^(?:HTTPParserError|HPE_\w+|EPROTO|ERR_SSL_\w+)$/, 'another server', 'what answers speaks something else: ' +
    'are scheme (http, https) and port of upstream.url right?']
]

/** @param error what `ask` or `look` threw; that this process has no room says nothing of the repository */
export function unreached (error: unknown): Contact {
  if (error instanceof RefusalError && OURS.has(error.refusal.code)) return GOOD
  const { name, code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException
  const reason = NAMED.has(name) ? name : code ?? message
  const [, trouble, what] = FAILURES.find(([code]) => code.test(reason)) ?? [undefined, 'unreachable', RUNS] as const
  return bad(trouble, `the chart repository cannot be reached (${reason}): ${what}`)
}
