// What does each kind of platform say of a job, and what of it pins a rule to one project, one
// workflow and one ref? One table: which claims nobody else can have (ids, never names alone),
// which claims pin nothing however much they look like it, which audiences others have too, and
// which events somebody outside can set off. Sources: GitHub's "OpenID Connect reference",
// GitLab's "OpenID Connect (OIDC) authentication using ID tokens", Kubernetes' "Managing Service
// Accounts", PyPI's trusted publishers, OpenSSF "Trusted Publishers for All Package Repositories".
import { isLoopbackUrl } from '../../lib/safe-url.ts'
import type { JsonObject } from '../../tokens/signature.ts'

export const FEDERATION_KINDS = ['github', 'gitlab', 'kubernetes', 'generic'] as const
export type FederationKind = typeof FEDERATION_KINDS[number]

/** A claim that has to be in `match`; with `=VALUE` it has to be that and nothing beside it. */
export type Pin = string

export interface PinRow {
  /** What it says, as the end of "it does not say …". */
  readonly says: string
  /** One of these has to be there whole. */
  readonly oneOf: readonly (readonly [Pin, ...Pin[]])[]
  /** Why nothing less will do. */
  readonly because: string
}

export interface KindRow {
  readonly rows: readonly PinRow[]
  /** Claims that may stand in `match` and count for no row, with why. */
  readonly neverPins: Readonly<Record<string, string>>
  /** Audiences besides the issuer's own URL that the platform gives by itself. */
  readonly refusedAudiences: RegExp | undefined
  /** The claim that says what set the job off, and the values that count only where `match` names them. */
  readonly event?: { readonly claim: string, readonly vetoed: readonly string[] }
  /** What the audit log has of a job: its name there, and the claim. */
  readonly ids: Readonly<Record<string, string>>
  /** Claims that are made of others. */
  readonly derived?: Readonly<Record<string, (claims: JsonObject) => string | undefined>>
}

const NAMES_COME_BACK = 'names can be given up and taken by somebody else, ids cannot'
const ANY_BRANCH = 'whoever may push any branch could change what is run there'

export const KINDS: Readonly<Record<FederationKind, KindRow>> = {
  github: {
    rows: [
      {
        says: 'which project it is for',
        oneOf: [['repository_id', 'repository_owner_id']],
        because: NAMES_COME_BACK
      },
      {
        says: 'which workflow it is for',
        oneOf: [['workflow_file'], ['workflow_ref']],
        because: 'any other workflow of the repository could push too'
      },
      {
        says: 'from which ref or environment',
        oneOf: [['ref'], ['environment'], ['ref_protected=true']],
        because: ANY_BRANCH
      }
    ],
    neverPins: {
      sub: 'it is made of names, in a form that the repository can change and that has changed',
      repository: 'a name that somebody else may have later',
      repository_owner: 'everything that the owner has, and a name that somebody else may have later',
      job_workflow_ref: 'it names the reusable workflow that was called, and not who called it',
      job_workflow_sha: 'it names the reusable workflow that was called, and not who called it',
      workflow: 'a title that any workflow can give itself',
      workflow_sha: 'it names a commit, which has every workflow of the repository in it',
      actor: 'who set it off, and not what runs',
      actor_id: 'who set it off, and not what runs'
    },
    refusedAudiences: /^https:\/\/github\.com(?:\/|$)/,
    event: {
      claim: 'event_name',
      vetoed: [
        'pull_request', 'pull_request_target', 'pull_request_review', 'pull_request_review_comment', 'workflow_run',
        'check_run', 'check_suite', 'status', 'issues', 'issue_comment', 'discussion', 'discussion_comment', 'fork',
        'gollum', 'watch'
      ]
    },
    ids: {
      repository_id: 'repository_id', repository_owner_id: 'repository_owner_id', run_id: 'run_id', commit: 'sha'
    },
    derived: { workflow_file: ({ workflow_ref: ref, repository }) => workflowFile(ref, repository) }
  },
  gitlab: {
    rows: [
      { says: 'which project it is for', oneOf: [['project_id', 'namespace_id']], because: NAMES_COME_BACK },
      {
        says: 'which pipeline definition it is for',
        oneOf: [['ci_config_file'], ['ci_config_ref_uri']],
        because: 'a pipeline of another definition could push too'
      },
      {
        says: 'from which ref or environment',
        oneOf: [
          ['ref_path'], ['ref', 'ref_type'], ['ref_protected=true'], ['environment', 'environment_protected=true']
        ],
        because: `${ANY_BRANCH}, a tag can be named as a branch is, and any job can name an environment that is not ` +
          'protected'
      }
    ],
    neverPins: {
      sub: 'it is made of names, in a form that the project can choose',
      project_path: 'a name that somebody else may have later',
      namespace_path: 'everything below it, and a name that somebody else may have later',
      ci_config_sha: 'it names a commit, which has every file of the project in it',
      user_login: 'who set it off, and not what runs',
      user_id: 'who set it off, and not what runs'
    },
    refusedAudiences: /^https:\/\/gitlab\.com(?:\/|$)/,
    // A child of a merge request's pipeline says the branch of the fork as its ref too (GitLab,
    // app/models/ci/pipeline.rb, source_ref_path), and of its parent nothing.
    event: {
      claim: 'pipeline_source', vetoed: ['merge_request_event', 'external_pull_request_event', 'parent_pipeline']
    },
    ids: { project_id: 'project_id', namespace_id: 'namespace_id', run_id: 'job_id', commit: 'sha' },
    derived: { ci_config_file: ({ ci_config_ref_uri: uri, project_path: path }) => configFile(uri, path) }
  },
  kubernetes: {
    rows: [{
      says: 'which service account it is for',
      oneOf: [['kubernetes.io/namespace', 'kubernetes.io/serviceaccount/name']],
      because: 'every pod of the cluster has a token'
    }],
    neverPins: {
      sub: 'say namespace and service account each for itself',
      'kubernetes.io/pod/name': 'whoever may make a pod chooses its name'
    },
    refusedAudiences: /^(?:https?:\/\/)?(?:api|k3s|rke2|kubernetes|kubernetes\.default(?:\.svc[.\w]*)?)(?::|\/?$)/,
    ids: {
      namespace: 'kubernetes.io/namespace',
      service_account_id: 'kubernetes.io/serviceaccount/uid',
      pod_id: 'kubernetes.io/pod/uid'
    }
  },
  generic: {
    rows: [{
      says: 'whom it is for',
      oneOf: [['sub']],
      because: 'no other claim is nobody else\'s (OpenID Connect Core 1.0 section 2)'
    }],
    neverPins: {
      email: 'a mailbox that somebody else may have later',
      name: 'anybody can be called so'
    },
    refusedAudiences: undefined,
    ids: { subject_id: 'sub' }
  }
}

/** What issuers are called that are of one kind and no other: GitHub's, also as a service or a server of one's own. */
const KNOWN_ISSUERS: readonly { readonly form: RegExp, readonly kind: FederationKind }[] = [
  { form: /^https:\/\/token\.actions\.(?:githubusercontent\.com|[^/]+\.ghe\.com)(?:[:/]|$)/, kind: 'github' },
  { form: /^https:\/\/[^/]+\/_services\/token(?:\/|$)/, kind: 'github' },
  { form: /^https:\/\/gitlab\.com(?:[:/]|$)/, kind: 'gitlab' }
]

/** What `sub` begins with where one of these made it of names, whatever its issuer is called. */
const KNOWN_SUBJECTS: readonly { readonly form: RegExp, readonly kind: FederationKind }[] = [
  { form: /^(?:repo|repository|repository_owner|job_workflow_ref):/, kind: 'github' },
  { form: /^project_path:/, kind: 'gitlab' }
]

/** The one kind that an issuer can be of; undefined: any. */
export function kindOfIssuer (issuer: string): FederationKind | undefined {
  const { href } = new URL(issuer) // the host in small letters
  return KNOWN_ISSUERS.find(({ form }) => form.test(href))?.kind
}

/** The platform that calls its jobs so. */
export function kindOfSubject (sub: string): FederationKind | undefined {
  return KNOWN_SUBJECTS.find(({ form }) => form.test(sub))?.kind
}

/** True for an audience that tokens for others have as well: the platform's default, or the issuer itself. */
export function isSharedAudience (kind: FederationKind, issuer: string, audience: string): boolean {
  if (KINDS[kind].refusedAudiences?.test(audience) === true) return true
  const host = (text: string): string | undefined => URL.canParse(text) ? new URL(text).host : undefined
  return audience === issuer || (host(audience) !== undefined && host(audience) === host(issuer))
}

/** True for an issuer that every cluster may be called: only its keys say which one it is. */
export function isAnyClusters (issuer: string): boolean {
  const url = new URL(issuer)
  const { hostname } = url
  return !isLoopbackUrl(url) && (!hostname.includes('.') || /(?:^|\.)(?:svc|local|internal)$/.test(hostname))
}

/** `release.yml` of `octo/charts/.github/workflows/release.yml@refs/heads/main`, in the repository itself. */
function workflowFile (ref: unknown, repository: unknown): string | undefined {
  if (typeof ref !== 'string' || typeof repository !== 'string') return undefined
  const folder = `${repository}/.github/workflows/`
  return ref.startsWith(folder) ? /^([^/@]+)@[^@]+$/.exec(ref.slice(folder.length))?.[1] : undefined
}

/** `.gitlab-ci.yml` of `gitlab.com/group/charts//.gitlab-ci.yml@refs/heads/main`, in the project itself. */
function configFile (uri: unknown, path: unknown): string | undefined {
  if (typeof uri !== 'string' || typeof path !== 'string') return undefined
  const start = uri.indexOf(`/${path}//`)
  if (start < 0 || uri.slice(0, start).includes('/')) return undefined
  return /^([^@]+)@[^@]+$/.exec(uri.slice(start + path.length + 3))?.[1]
}
