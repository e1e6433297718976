// How does a registry say no? In the codes of the specification, which are all that its
// clients print (opencontainers/distribution-spec v1.1.1, "Error Codes"; oras-go v2.6.1,
// registry/remote/errcode), each with what a person can do; and in our own `error` beside.
import { bodyOf, statusOf, type Refusal } from '../../http/errors.ts'
import type { Access, Grant } from '../../words/access.ts'
import type { ReasonCode } from '../../http/reasons.ts'

/** Those of the specification, and distribution's one for what may be better in a moment. */
export type OciErrorCode =
  | 'BLOB_UNKNOWN' | 'BLOB_UPLOAD_INVALID' | 'BLOB_UPLOAD_UNKNOWN' | 'DIGEST_INVALID' | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID' | 'MANIFEST_UNKNOWN' | 'NAME_INVALID' | 'NAME_UNKNOWN' | 'SIZE_INVALID' | 'UNAUTHORIZED'
  | 'DENIED' | 'UNSUPPORTED' | 'TOOMANYREQUESTS' | 'UNAVAILABLE'

interface OciError {
  readonly code: OciErrorCode
  /** For who reads what the client prints, where the sentence before does not say it. */
  readonly todo?: string
}

const LOG_IN: OciError = { code: 'UNAUTHORIZED', todo: 'log in with helm registry login HOST, as somebody who may' }

/** Of these reasons more is known than their status says. */
const BY_REASON: Readonly<Partial<Record<ReasonCode, OciError>>> = {
  oci_name_invalid: { code: 'NAME_INVALID' },
  oci_name_unknown: { code: 'NAME_UNKNOWN', todo: 'look at the URL: oci://HOST/TENANT/CHART' },
  oci_manifest_unknown: { code: 'MANIFEST_UNKNOWN', todo: 'list the versions with helm show chart or oras repo tags' },
  oci_blob_unknown: { code: 'BLOB_UNKNOWN', todo: 'ask for the manifest again: the version may have changed' },
  oci_no_such_part: { code: 'SIZE_INVALID' },
  oci_digest_invalid: { code: 'DIGEST_INVALID' },
  oci_digest_mismatch: { code: 'DIGEST_INVALID' },
  oci_size_invalid: { code: 'SIZE_INVALID' },
  oci_manifest_invalid: { code: 'MANIFEST_INVALID' },
  oci_manifest_blob_unknown: { code: 'MANIFEST_BLOB_UNKNOWN' },
  oci_attachments_full: { code: 'DENIED' },
  oci_upload_busy: { code: 'BLOB_UPLOAD_INVALID' },
  oci_upload_out_of_order: { code: 'BLOB_UPLOAD_INVALID' },
  oci_upload_unknown: { code: 'BLOB_UPLOAD_UNKNOWN', todo: 'push again, from the beginning' },
  invalid_upload: { code: 'MANIFEST_INVALID' },
  upstream_rejected: { code: 'MANIFEST_INVALID' },
  upload_aborted: { code: 'BLOB_UPLOAD_INVALID' },
  not_in_upstream: { code: 'MANIFEST_UNKNOWN' },
  chart_exists: { code: 'DENIED' },
  file_exists: { code: 'DENIED' }
}

const BY_STATUS: Readonly<Record<number, OciError>> = {
  401: LOG_IN,
  403: { code: 'DENIED', todo: 'ask whoever runs this registry for a rule that allows it' },
  404: { code: 'NAME_UNKNOWN' },
  405: { code: 'UNSUPPORTED' },
  413: { code: 'SIZE_INVALID' },
  429: { code: 'TOOMANYREQUESTS' }
}

/** The JSON body of a refusal below /v2/. */
export function ociBodyOf (
  refusal: Refusal
): { error: string, errors: { code: OciErrorCode, message: string, detail?: string }[] } {
  const { error } = bodyOf(refusal)
  const status = statusOf(refusal)
  const { code, todo } = BY_REASON[refusal.code] ?? BY_STATUS[status] ??
    { code: status < 500 ? 'UNSUPPORTED' : 'UNAVAILABLE' }
  return { error, errors: [{ code, message: error, ...(todo === undefined ? {} : { detail: todo }) }] }
}

/**
 * What a challenge asks a client to get a token for: whoever changes something reads it
 * before and after, and asks for both at once (helm/helm v4.2.4, pkg/registry/client.go, Push).
 */
export function ociScopeOf ({ type, name, action }: Access): Grant {
  return { type, name, actions: action === 'pull' ? ['pull'] : ['pull', action] }
}

/** On every answer below /v2/, also on a 401: by it old clients know a registry. */
export const OCI_HEADERS: Readonly<Record<string, string>> = { 'docker-distribution-api-version': 'registry/2.0' }
