// What does a token client ask for? Its parameters from query and form, merged: the
// union of what Docker clients, oras, Helm and OAuth clients send (RFC 6749,
// distribution docs/content/spec/auth/token.md and oauth.md), and of jobs that exchange their
// platform's token for one of ours (RFC 8693, RFC 7523).
import { looksLikeToken, type Credentials } from '../../identity/credentials.ts'
import type { Refusal } from '../../http/errors.ts'

export interface TokenRequest {
  /** The `scope` parameters, each of which may hold several scopes. */
  readonly scopes: readonly string[]
  readonly credentials: Credentials
  /**
   * What Basic credentials mean to a client that encodes them as a form first (RFC 6749
   * section 2.3.1); tried when they mean nothing as they are.
   */
  readonly decoded?: Credentials
  /** Who the client says it is, where the credentials have no user name of their own to compare it with. */
  readonly account?: string
  /** How a token is shown that is to be exchanged for one of ours, where one is. */
  readonly shown?: ShownAs
}

/** As the subject of an exchange (RFC 8693), or as an assertion (RFC 7523). */
export type ShownAs = 'subject_token' | 'assertion'

export type TokenRequestResult =
  | { readonly ok: true, readonly request: TokenRequest }
  | { readonly ok: false, readonly refusal: Refusal }

/**
 * Parameters that may stand once; others than these and `scope` mean nothing here
 * (`service`, `offline_token`, `access_type`, …).
 */
const SINGLE = [
  'grant_type', 'account', 'client_id', 'client_secret', 'username', 'password',
  'subject_token', 'subject_token_type', 'requested_token_type', 'actor_token', 'assertion'
] as const
type Single = typeof SINGLE[number]
type Parameters = Partial<Record<Single, string>>
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const GRANT_TYPES = ['client_credentials', 'password', TOKEN_EXCHANGE, JWT_BEARER]
/** What is issued, whichever of both was asked for: our tokens are JWTs (RFC 8693 section 3). */
export const ISSUED_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token'
const REQUESTED_TYPES = [ISSUED_TOKEN_TYPE, 'urn:ietf:params:oauth:token-type:jwt']
const SUBJECT_TYPES = [...REQUESTED_TYPES, 'urn:ietf:params:oauth:token-type:id_token']
/** They would stand in the logs of whatever is on the way. */
const NEVER_IN_QUERY = ['subject_token', 'actor_token', 'assertion'] as const
/** In the query and in the form; one that is not UTF-8 costs as much as a thousand letters. */
const MOST_PARAMETERS = 100

/**
 * @param method GET is the Docker form, where everything is optional; POST needs a grant_type
 * @param query without its `?`
 * @param form the body (application/x-www-form-urlencoded); undefined when there was none
 * @param header the credentials of the Authorization header
 */
export function readTokenRequest (
  method: string,
  query: string,
  form: string | undefined,
  header: Credentials
): TokenRequestResult {
  if ([query, form ?? ''].some(each => each.split('&').length > MOST_PARAMETERS)) {
    return invalidRequest(`there are more than ${MOST_PARAMETERS} parameters`)
  }
  const inQuery = new URLSearchParams(query)
  const inForm = new URLSearchParams(form)
  const parameters: Parameters = {}
  for (const name of SINGLE) {
    const values = new Set([...inQuery.getAll(name), ...inForm.getAll(name)])
    const repeated = inQuery.getAll(name).length > 1 || inForm.getAll(name).length > 1
    if (repeated || values.size > 1) return invalidRequest(`the parameter ${name} is there more than once`)
    const [value] = values
    if (value !== undefined) parameters[name] = value
  }
  const scopes = [inQuery, inForm].map(each => each.getAll('scope')).filter(each => each.length > 0)
  if (scopes.length === 2 && JSON.stringify(scopes[0]) !== JSON.stringify(scopes[1])) {
    return invalidRequest('the parameter scope is in the query and in the body, with different values')
  }

  const grant = parameters.grant_type
  if (grant === undefined && method === 'POST') {
    return invalidRequest(`the parameter grant_type is missing: ${GRANT_TYPES.join(' or ')}`)
  }
  if (grant !== undefined && !GRANT_TYPES.includes(grant)) {
    const detail = `this grant_type is not supported: use ${GRANT_TYPES.join(' or ')}`
    return { ok: false, refusal: { code: 'unsupported_grant_type', detail } }
  }
  const inUrl = NEVER_IN_QUERY.find(name => inQuery.has(name))
  if (inUrl !== undefined) {
    return invalidRequest(`the parameter ${inUrl} is a secret: send it in the body, and not in the URL`)
  }
  const credentials = chooseCredentials(grant, parameters, header)
  if ('code' in credentials) return { ok: false, refusal: credentials }
  const decoded = grant === 'client_credentials' ? formDecoded(credentials) : undefined
  const { account } = parameters
  const shown = tokenParameter(grant)
  return {
    ok: true,
    request: {
      scopes: scopes[0] ?? [],
      credentials,
      ...(decoded === undefined ? {} : { decoded }),
      ...(account === undefined || credentials.kind === 'basic' ? {} : { account }),
      ...(shown === undefined ? {} : { shown })
    }
  }
}

/** Basic credentials read as form values, where that makes a difference. */
function formDecoded (credentials: Credentials): Credentials | undefined {
  if (credentials.kind !== 'basic' || !/[%+]/.test(credentials.username + credentials.password)) return undefined
  const [username, password] = [credentials.username, credentials.password]
    .map(text => new URLSearchParams(`v=${text.replaceAll('&', '%26')}`).get('v') as string) as [string, string]
  return { kind: 'basic', username, password }
}

/** The header's credentials, or those of the form; never a choice between two. */
function chooseCredentials (
  grant: string | undefined,
  parameters: Parameters,
  header: Credentials
): Credentials | Refusal {
  const fault = grant === TOKEN_EXCHANGE ? exchangeFault(parameters) : undefined
  if (fault !== undefined) return { code: 'invalid_request', detail: fault }
  const { account, client_id: clientId, client_secret: clientSecret, username, password } = parameters
  const inForm = grant === 'password'
    ? pair(username, password)
    : grant === 'client_credentials' ? pair(clientId, clientSecret) : shownToken(grant, parameters)
  if (inForm !== undefined && header.kind !== 'none') {
    return {
      code: 'invalid_request',
      detail: 'credentials are in the Authorization header and in the parameters: send one'
    }
  }
  if (inForm === 'none') {
    return { code: 'invalid_request', detail: `the parameter ${tokenParameter(grant)} is missing, or is no JWT` }
  }
  const credentials = inForm ?? header
  if (grant !== undefined && credentials.kind === 'none') {
    return { code: 'invalid_client', detail: 'this grant_type needs credentials' }
  }
  if (credentials.kind === 'basic') {
    const other = Object.entries({ account, username })
      .find(([, name]) => name !== undefined && name !== credentials.username)
    if (other !== undefined) {
      return {
        code: 'invalid_request',
        detail: `the parameter ${other[0]} is not the user name of the credentials`
      }
    }
  }
  return credentials
}

/** The parameter that holds the token which a grant type shows; undefined: it shows none. */
function tokenParameter (grant: string | undefined): ShownAs | undefined {
  return grant === TOKEN_EXCHANGE ? 'subject_token' : grant === JWT_BEARER ? 'assertion' : undefined
}

/** The token that is shown for another one; `none` where it is missing or is no token. */
function shownToken (grant: string | undefined, parameters: Parameters): Credentials | 'none' | undefined {
  const name = tokenParameter(grant)
  if (name === undefined) return undefined
  const token = parameters[name] ?? ''
  return looksLikeToken(token) ? { kind: 'bearer', token } : 'none'
}

/** What of a token exchange is asked that is not done (RFC 8693 section 2.1). */
function exchangeFault (parameters: Parameters): string | undefined {
  const { subject_token_type: shown, requested_token_type: wanted, actor_token: actor } = parameters
  if (shown === undefined || !SUBJECT_TYPES.includes(shown)) {
    return `the parameter subject_token_type has to be one of ${SUBJECT_TYPES.join(', ')}`
  }
  if (wanted !== undefined && !REQUESTED_TYPES.includes(wanted)) {
    return `the parameter requested_token_type can be ${REQUESTED_TYPES.join(' or ')}`
  }
  return actor === undefined ? undefined : 'the parameter actor_token means nothing here: nobody acts for somebody else'
}

/** Basic credentials of two parameters; a client_id alone is only a name. */
function pair (username: string | undefined, password: string | undefined): Credentials | undefined {
  return password === undefined ? undefined : { kind: 'basic', username: username ?? '', password }
}

function invalidRequest (detail: string): TokenRequestResult {
  return { ok: false, refusal: { code: 'invalid_request', detail } }
}
