// Tokens of jobs: the claim sets that the platforms document, signed by keys of the tests, and
// the providers and rules that take them.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FederationConfig, FederationRule, ProviderConfig } from '../../src/identity/federation/federation-config.ts'
import { createFederation, type Federation } from '../../src/identity/federation/providers.ts'
import type { IssuerKey } from '../../src/tokens/issuer-keys.ts'
import { thumbprintOf, type SigningKey } from '../../src/tokens/keys.ts'
import { algorithmsOf } from '../../src/tokens/signature.ts'
import type { TestLike } from './folder.ts'
import { recordToken } from './secrets.ts'
import { mintToken, NOW, type Recipe } from './tokens.ts'

type Claims = Readonly<Record<string, unknown>>

export const AUDIENCE = 'https://charts.example.test'

const times = (issuedAt: number): Claims => ({ iat: issuedAt, nbf: issuedAt, exp: issuedAt + 600 })

/** docs.github.com, "OpenID Connect reference": a push to the main branch. */
export function githubClaims (more: Claims = {}, issuedAt = NOW): Claims {
  return {
    iss: 'https://token.actions.githubusercontent.com',
    aud: AUDIENCE,
    sub: 'repo:octo-org/octo-repo:ref:refs/heads/main',
    jti: '4f1d0d2b-0000-4000-8000-000000000001',
    ref: 'refs/heads/main',
    ref_type: 'branch',
    ref_protected: 'true',
    sha: '0123456789abcdef0123456789abcdef01234567',
    repository: 'octo-org/octo-repo',
    repository_owner: 'octo-org',
    repository_id: '74',
    repository_owner_id: '65',
    repository_visibility: 'private',
    actor: 'octocat',
    actor_id: '12',
    run_id: '3170',
    run_number: '10',
    run_attempt: '2',
    runner_environment: 'github-hosted',
    workflow: 'release',
    workflow_ref: 'octo-org/octo-repo/.github/workflows/release.yml@refs/heads/main',
    workflow_sha: '0123456789abcdef0123456789abcdef01234567',
    job_workflow_ref: 'octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main',
    head_ref: '',
    base_ref: '',
    event_name: 'push',
    ...times(issuedAt),
    ...more
  }
}

/** The form of `sub` with ids in it. */
export const GITHUB_SUB_WITH_IDS = 'repo:octo-org@65/octo-repo@74:ref:refs/heads/main'

/** docs.gitlab.com, "OpenID Connect (OIDC) authentication using ID tokens"; ids are texts there. */
export function gitlabClaims (more: Claims = {}, issuedAt = NOW): Claims {
  return {
    iss: 'https://gitlab.example.com',
    aud: AUDIENCE,
    sub: 'project_path:my-group/my-project:ref_type:branch:ref:main',
    jti: '235b3a54-b797-45c7-ae9a-f72d7bc6ef5b',
    namespace_id: '72',
    namespace_path: 'my-group',
    project_id: '20',
    project_path: 'my-group/my-project',
    user_id: '1',
    user_login: 'sample-user',
    user_email: 'sample-user@example.com',
    pipeline_id: '574',
    pipeline_source: 'push',
    job_id: '302',
    ref: 'main',
    ref_type: 'branch',
    ref_path: 'refs/heads/main',
    ref_protected: 'true',
    environment: 'production',
    environment_protected: 'true',
    runner_id: 1,
    runner_environment: 'self-hosted',
    sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
    project_visibility: 'public',
    ci_config_ref_uri: 'gitlab.example.com/my-group/my-project//.gitlab-ci.yml@refs/heads/main',
    ci_config_sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
    ...times(issuedAt),
    ...more
  }
}

/** kubernetes.io, "Managing Service Accounts": a bound token, which has no `typ` and need not have a `jti`. */
export function kubernetesClaims (more: Claims = {}, issuedAt = NOW): Claims {
  return {
    iss: 'https://kubernetes.default.svc.cluster.local',
    aud: [AUDIENCE],
    sub: 'system:serviceaccount:ci:publisher',
    'kubernetes.io': {
      namespace: 'ci',
      node: { name: '127.0.0.1', uid: '58456cb0-dd00-45ed-b797-5578fdceaced' },
      pod: { name: 'build-69cbfb9798-jv9gn', uid: '778a530c-b3f4-47c0-9cd5-ab018fb64f33' },
      serviceaccount: { name: 'publisher', uid: 'a087d5a0-e1dd-43ec-93ac-f13d89cd13af' },
      warnafter: issuedAt + 500
    },
    ...times(issuedAt),
    ...more
  }
}

export const GITHUB: ProviderConfig = { name: 'github', issuer: 'https://token.actions.githubusercontent.com', kind: 'github', audience: AUDIENCE }
export const GITLAB: ProviderConfig = { name: 'gitlab', issuer: 'https://gitlab.example.com', kind: 'gitlab', audience: AUDIENCE }
export const KUBERNETES: ProviderConfig = { name: 'cluster', issuer: 'https://kubernetes.default.svc.cluster.local', kind: 'kubernetes', audience: AUDIENCE, jwksFile: '/cluster.json' }

/** What a right rule of each kind matches. */
export const MATCHES = {
  github: { repository_id: '74', repository_owner_id: '65', workflow_file: 'release.yml', ref: 'refs/heads/main' },
  gitlab: { project_id: '20', namespace_id: '72', ci_config_file: '.gitlab-ci.yml', ref_path: 'refs/heads/main' },
  kubernetes: { 'kubernetes.io/namespace': 'ci', 'kubernetes.io/serviceaccount/name': 'publisher' },
  generic: { sub: 'build-7' }
} as const

export const SUBJECTS = {
  github: 'ci:github:{repository}',
  gitlab: 'ci:gitlab:{project_path}',
  kubernetes: 'ci:cluster:{kubernetes.io/namespace}/{kubernetes.io/serviceaccount/name}',
  generic: 'ci:build:{sub}'
} as const

/** A right rule for a provider, but for what is laid over it. */
export function ruleFor ({ name, kind }: ProviderConfig, more: Partial<FederationRule> = {}): FederationRule {
  const match = Object.fromEntries(Object.entries(MATCHES[kind]).map(([claim, value]) => [claim, [value]]))
  return { provider: name, match, subject: SUBJECTS[kind], groups: [], repositories: ['team-a/*'], actions: ['pull', 'push'], maxLifetime: 3600, ...more }
}

export async function publicHalf ({ publicKey, kid }: SigningKey): Promise<IssuerKey> {
  return { kid, thumbprint: await thumbprintOf(publicKey), algorithms: algorithmsOf(publicKey), publicKey }
}

/** A federation in which each provider has these keys. */
export async function federationOf (config: FederationConfig, ...keys: readonly SigningKey[]): Promise<Federation> {
  const halves = await Promise.all(keys.map(publicHalf))
  return createFederation(config, config.providers.map(() => ({ keys: () => halves })))
}

/** A token of a job. */
export async function idToken (key: SigningKey, claims: Claims, header: Recipe['header'] = {}): Promise<string> {
  return recordToken(await mintToken({ key, payload: JSON.stringify(claims), header }))
}

/** The key set of these keys. */
export function keySet (...keys: readonly SigningKey[]): string {
  return JSON.stringify({ keys: keys.map(({ publicKey, kid, alg }) => ({ ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' })) })
}

export interface StubIssuer {
  /** http://127.0.0.1:PORT */
  readonly issuer: string
  readonly seen: { readonly url: string, readonly authorization: string | undefined }[]
  /** By path; whatever is not there is 404. */
  readonly documents: Map<string, { readonly status?: number, readonly headers?: Record<string, string>, readonly body: string }>
  readonly server: Server
}

/** An issuer on loopback that publishes these keys. */
export async function startIssuer (t: TestLike, ...keys: readonly SigningKey[]): Promise<StubIssuer> {
  const seen: StubIssuer['seen'] = []
  const documents: StubIssuer['documents'] = new Map()
  const server = createServer((request, response) => {
    const url = request.url ?? ''
    seen.push({ url, authorization: request.headers.authorization })
    const { status = 200, headers = {}, body } = documents.get(url) ?? { status: 404, body: 'not found' }
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(async () => await new Promise<void>(resolve => {
    server.close(() => { resolve() })
    server.closeAllConnections()
  }))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  documents.set('/.well-known/openid-configuration', { body: JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` }) })
  documents.set('/keys', { body: keySet(...keys) })
  return { issuer, seen, documents, server }
}
