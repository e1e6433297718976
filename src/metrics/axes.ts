// Which values may labels have? Closed sets, made of the tables that the program answers by:
// routes, own endpoints, reasons. Labels whose values belong together are one axis, so that
// a combination that cannot happen has no series.
import { REASONS, REASON_GROUPS, type ReasonCode } from '../http/reasons.ts'
import { ROUTES } from '../chartmuseum/routes.ts'
import { OCI_PUSH, OCI_ROUTES, methodsOf } from '../doors/oci/routes.ts'
import { OWN_ENDPOINTS } from '../doors/own-endpoints.ts'
import { ACTIONS } from '../words/access.ts'

export interface Axis {
  readonly labels: readonly string[]
  /** Every combination of values, in the order of `labels`. */
  readonly values: readonly (readonly string[])[]
}

/** What stands where a label has nothing to say. */
export const NONE = 'none'
/** What stands for all values that are in no table. */
export const OTHER = 'other'
/** OpenTelemetry's word for a method that is none of those that are known (HTTP semantic conventions 1.29). */
export const OTHER_METHOD = '_OTHER'

/** What became of a request. */
export type Ending = 'success' | 'refused' | 'failed' | 'aborted' | 'dropped'

const OWN_ROUTES = [...OWN_ENDPOINTS.values()].map(({ endpoint, methods }) => ({
  id: endpoint as string,
  methods: typeof methods === 'string' ? ['GET', 'POST', 'HEAD', OTHER_METHOD] : methods
}))
const REGISTRY = [...OCI_ROUTES, OCI_PUSH]
  .map(route => ({ id: route.id as string, methods: methodsOf(route), needs: route.needs }))
/** Questions of proxies; none of them is a request of its client. */
const AUTHZ = { id: 'authz', methods: ['GET'] }
/** Of what is no route. */
const NO_ROUTE = { id: NONE, methods: ['GET', 'HEAD', 'POST', 'DELETE', OTHER_METHOD] }
const ALL_ROUTES: readonly { readonly id: string, readonly methods: readonly string[] }[] =
  [...ROUTES, ...OWN_ROUTES, ...REGISTRY, AUTHZ, NO_ROUTE]

/** How a refusal counts: for the client's reasons, for ours or the upstream's, or because nobody was there any more. */
export function endingOf (code: ReasonCode): Ending {
  if (code === 'upload_aborted' || code === 'client_gone') return 'aborted'
  return REASONS[code].status < 500 ? 'refused' : 'failed'
}

const WITHOUT_REASON: readonly Ending[] = ['success', 'aborted', 'dropped']
const CODES = Object.keys(REASONS) as ReasonCode[]

export const ENDED: Axis = {
  labels: ['outcome', 'reason'],
  values: [
    ...WITHOUT_REASON.map(ending => [ending, NONE]),
    ...CODES.map(code => [endingOf(code), code])
  ]
}

export const ASKED: Axis = {
  labels: ['route', 'action'],
  values: [
    ...ROUTES.flatMap(({ id, door, action }) => door === 'upload' ? [[id, 'push'], [id, 'overwrite']] : [[id, action]]),
    ...OWN_ROUTES.map(({ id }) => [id, NONE]),
    ...REGISTRY.flatMap(({ id, needs }) =>
      [...new Set(Object.values(needs))].map(need => [id, need === 'credentials' ? NONE : need])),
    ...ACTIONS.map(action => [AUTHZ.id, action]),
    [NONE, NONE]
  ]
}

export const ROUTE: Axis = { labels: ['route'], values: ALL_ROUTES.map(({ id }) => [id]) }

/** `http.route` and `http.request.method`. */
export const HTTP_ROUTE: Axis = {
  labels: ['http_route', 'http_request_method'],
  values: ALL_ROUTES.flatMap(({ id, methods }) => methods.map(method => [id, method]))
}

/** Those that are answered; another one of the upstream's that is passed on is `other`. */
const SUCCESSES = [200, 201, 202, 204, 206, 304, 416]
const STATUSES = [...new Set([...SUCCESSES, ...Object.values(REASONS).map(({ status }) => status)])].sort()

/** `http.response.status_code`; `none`: there was no answer to the end. */
export const HTTP_STATUS: Axis = {
  labels: ['http_response_status_code'],
  values: [...STATUSES.map(String), OTHER, NONE].map(status => [status])
}

const UPSTREAM_STATUSES = [...new Set([...STATUSES, 301, 302, 307, 308])].sort()
/** All that src/upstream/answers.ts makes of an error. */
const UPSTREAM_FAILURES = ['upstream_unreachable', 'upstream_timeout', 'upstream_bad_answer', 'no_descriptors'] as const

/** What the upstream answered, or why it did not (`error.type`). */
export const UPSTREAM_ANSWER: Axis = {
  labels: ['http_response_status_code', 'error_type'],
  values: [
    ...[...UPSTREAM_STATUSES.map(String), OTHER].map(status => [status, NONE]),
    ...UPSTREAM_FAILURES.map(code => [NONE, code])
  ]
}

export const UPSTREAM_METHOD: Axis = { labels: ['http_request_method'], values: [['GET'], ['POST'], ['DELETE']] }

export const ACTION: Axis = { labels: ['action'], values: ACTIONS.map(action => [action]) }

/** An axis of one label. */
export function axisOf (label: string, ...values: readonly string[]): Axis {
  return { labels: [label], values: values.map(value => [value]) }
}

/** Reasons for which nobody was let in who had shown credentials. */
export const LOGIN_FAILURES: readonly ReasonCode[] = (Object.keys(REASON_GROUPS['who asks']) as ReasonCode[])
  .filter(code => code !== 'missing_credentials' && code !== 'client_gone')

/** Reasons for which no token is given, for the endpoint that gives them. */
export const REASON: Axis = { labels: ['reason'], values: CODES.map(code => [code]) }
