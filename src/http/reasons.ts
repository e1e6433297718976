// Why is a request refused? The one closed table of reason codes: the log names the code,
// the client sees the status and the sentence, and docs/reasons.md is made of all of it.

export interface Reason {
  readonly status: number
  /** What the client reads in `error`; a refusal's own `detail` takes its place. */
  readonly error: string
  /** For whoever reads the log. */
  readonly means: string
  /** What they can do about it. */
  readonly todo: string
  /** For programs, which should not have to read the sentence. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Of these statuses the same request may do better in a moment: each of their reasons has
 * Retry-After (RFC 9110 section 10.2.3), of RETRY_AFTER seconds.
 */
export const AGAIN: ReadonlySet<number> = new Set([429, 502, 503, 504])
export const RETRY_AFTER = 5

/** In groups, by what was being decided. */
export const REASON_GROUPS = {
  'the request itself': {
    bad_target: {
      status: 400,
      error: 'bad request target',
      means: 'the request target is outside the grammar: dot segments, percent-encodings, empty segments, a ' +
        'tenant named like a file',
      todo: 'write the URL as docs/routing.md has it; a proxy in front must pass the path on as it is'
    },
    bad_request: {
      status: 400,
      error: 'bad request',
      means: 'the request cannot be read: its head, its framing or its query',
      todo: 'look at what sends it; behind a proxy, docs/proxies.md'
    },
    proxy_protocol: {
      status: 400,
      error: 'a PROXY protocol header came where a request should begin: this listener does not read it',
      means: 'a load balancer in front writes the PROXY protocol (v1 or v2), which is not read: ' +
        'anybody who reaches the listener could write one',
      todo: 'switch it off there (HAProxy: without send-proxy, nginx: without proxy_protocol on); ' +
        'docs/limits.md, behind a load balancer'
    },
    several_authorizations: {
      status: 400,
      error: 'several Authorization headers: send one',
      means: 'two Authorization headers came, and nobody can say which one counts',
      todo: 'send one; a proxy in front may add its own'
    },
    no_such_route: {
      status: 404,
      error: 'not found',
      means: 'no route has this path, or it has another depth',
      todo: 'look at `detail` and at charts.depth; docs/routing.md has every path'
    },
    method_not_allowed: {
      status: 405,
      error: 'method not allowed',
      means: 'the path is known, by other methods',
      todo: 'use one that `Allow` names'
    },
    request_timeout: {
      status: 408,
      error: 'the request did not arrive in time',
      means: 'the head or the body took too long',
      todo: 'look at the line between client and gateway; a request has 300 s'
    },
    unsupported_media_type: {
      status: 415,
      error: 'the Content-Type header is not valid',
      means: 'the Content-Type header cannot be read',
      todo: 'send one such as application/octet-stream'
    },
    unsupported_expectation: {
      status: 417,
      error: 'the only expectation that is met is 100-continue',
      means: 'an Expect header asks for something else than 100-continue',
      todo: 'leave the header out'
    },
    headers_too_large: {
      status: 431,
      error: 'the request headers are too large',
      means: 'the head has more than 16 KiB or 200 headers',
      todo: 'send fewer and shorter headers; cookies of other sites on the host count too'
    }
  },
  'who asks': {
    missing_credentials: {
      status: 401,
      error: 'unauthorized',
      means: 'no credentials came, and `anonymous` has no such right',
      todo: 'send credentials; a client that does so only when it is asked will come again at once'
    },
    certificate_untrusted: {
      status: 401,
      error: 'unauthorized',
      means: 'a certificate came alone, and has ended, is not for clients (extended key usage) or is of no authority ' +
        'in listen.tls.clientCa',
      todo: 'look at it with openssl x509 -noout -dates -issuer -ext extendedKeyUsage; a client sends those between ' +
        'it and an authority behind its own'
    },
    certificate_unknown: {
      status: 401,
      error: 'unauthorized',
      means: 'a certificate came alone, which is sound and stands for nobody',
      todo: 'name it in identity.certificates: openssl x509 -noout -subject -nameopt RFC2253 -ext subjectAltName ' +
        'says what it is called'
    },
    bad_credentials: {
      status: 401,
      error: 'unauthorized',
      means: 'nobody has these credentials',
      todo: 'look at user name and password; a robot\'s secret is known by its SHA-256 in the accounts file'
    },
    bad_password: {
      status: 401,
      error: 'unauthorized',
      means: 'the account is there, and has another password',
      todo: 'try once more, or set a new one in the accounts file'
    },
    padded_password: {
      status: 401,
      error: 'unauthorized',
      means: 'the account is there, and has another password; this one has a blank or a line end before or behind it',
      todo: 'look whether that is all: a file with a last line end, or a copied blank'
    },
    padded_secret: {
      status: 401,
      error: 'unauthorized',
      means: 'the secret, key or token is right but for a blank or a line end before or behind it',
      todo: 'take that out where the client has it: a file with a last line end, or a copied blank'
    },
    account_disabled: {
      status: 401,
      error: 'unauthorized',
      means: 'the account has `disabled: true`',
      todo: 'take it out of the accounts file, if it should come in'
    },
    secret_not_yet_valid: {
      status: 401,
      error: 'unauthorized',
      means: 'the robot\'s secret begins to count later (`notBefore`)',
      todo: 'wait, or change notBefore; look at the gateway\'s clock'
    },
    secret_expired: {
      status: 401,
      error: 'unauthorized',
      means: 'the robot\'s secret has ended (`expires`)',
      todo: 'make a new one: chartgate robot create'
    },
    token_malformed: {
      status: 401,
      error: 'unauthorized',
      means: 'the token cannot be read, or is none of ours in its form',
      todo: 'fetch a new one from /oauth/token'
    },
    token_unknown_key: {
      status: 401,
      error: 'unauthorized',
      means: 'no key that counts has signed the token',
      todo: 'fetch a new one; of another token server, name its key in tokens.issuers'
    },
    token_bad_signature: {
      status: 401,
      error: 'unauthorized',
      means: 'the token was changed, or another key has signed it',
      todo: 'fetch a new one; look at who made it'
    },
    token_expired: {
      status: 401,
      error: 'unauthorized',
      means: 'the token has ended',
      todo: 'fetch a new one, which clients do by themselves; look at the clocks if all have ended'
    },
    token_revoked: {
      status: 401,
      error: 'unauthorized',
      means: '`chartgate revoke` took it back, or all tokens of its subject that were issued before',
      todo: 'fetch a new one, which clients do by themselves; who may get none any more is disabled or taken out'
    },
    token_not_yet_valid: {
      status: 401,
      error: 'unauthorized',
      means: 'the token begins later',
      todo: 'set the clocks right (NTP), or clockSkew of its issuer'
    },
    token_wrong_claims: {
      status: 401,
      error: 'unauthorized',
      means: 'the token is for somebody else, or lacks what one needs (`iss`, `aud`, `exp`, `access`; of a job ' +
        '`sub`, `iat`)',
      todo: 'compare tokens.issuer and tokens.service, or issuer and audience of its issuer or provider, with the ' +
        'token'
    },
    federation_no_rule: {
      status: 401,
      error: 'unauthorized',
      means: 'the token of a CI platform or a cluster is sound, and no rule of federation takes it; or keys of two ' +
        'providers verify it',
      todo: 'look at `because`; chartgate federation explain says of each rule why not'
    },
    federation_exchange_only: {
      status: 401,
      error: 'unauthorized',
      means: 'the token of a job is sound, and its provider says `exchangeOnce`: it gets in at /oauth/token alone',
      todo: 'let the job exchange it there (docs/ci.md), or take exchangeOnce out'
    },
    federation_token_used: {
      status: 401,
      error: 'unauthorized',
      means: 'the token of a job was exchanged before, and its provider says `exchangeOnce`',
      todo: 'let the job ask its platform for another one; if it was not the job, `actor.token_id` of the audit log ' +
        'says what was done with it'
    },
    federation_token_too_early: {
      status: 401,
      error: 'unauthorized',
      means: 'the token of a job counts once (`exchangeOnce`), and may have been exchanged: it was issued before ' +
        'Redis or `stateDir/exchanged` began to remember that',
      todo: 'let the job ask its platform for another one, some seconds later'
    },
    token_unknown_subject: {
      status: 401,
      error: 'unauthorized',
      means: 'whom the token was issued to is there no more, or disabled, or the rule of federation that took the ' +
        'job is another one',
      todo: 'nothing, if the account is to be gone'
    },
    too_many_attempts: {
      status: 429,
      error: 'too many passwords at once: try again shortly',
      means: 'more passwords wait to be checked than there is room for',
      todo: 'let clients use tokens or robots\' secrets; look at `ip` for who sends so many'
    },
    too_many_failed_logins: {
      status: 429,
      error: 'too many failed logins: try again when Retry-After says so',
      means: 'too much failed from `ip` before, for this account or for all (limits.logins); no password was checked',
      todo: 'look at `ip`: a client with an old password, or somebody who guesses; a proxy belongs in trustedProxies'
    },
    // Nobody reads it; the status is nginx's for the same.
    client_gone: {
      status: 499,
      error: 'the client went away',
      means: 'the client left before its password was checked',
      todo: 'nothing'
    }
  },
  'may they': {
    insufficient_scope: {
      status: 401,
      error: 'unauthorized',
      means: 'the Bearer token, secret or key is good, and has no such right',
      todo: 'ask for a token with that scope; chartgate explain says which rule is missing'
    },
    missing_right: {
      status: 403,
      error: 'forbidden',
      means: 'the account is known, and no rule gives it this right',
      todo: 'add a rule to policy; chartgate explain says who may'
    }
  },
  'a proxy that asks at /authz': {
    authz_peer: {
      status: 403,
      error: 'this address may not ask here',
      means: '`ip` is not in authz.trustedProxies: a client that came to this listener, or a proxy that nobody named',
      todo: 'name the proxy in authz.trustedProxies; keep everybody else away from authz.listen'
    },
    authz_unreadable: {
      status: 403,
      error: 'the proxy has to say which request it asks about',
      means: 'a header with the method or the target is missing, empty, there twice or contradicted by another one, ' +
        'or the target is missing behind /authz: `detail` names it',
      todo: 'set authz.dialect to the proxy that asks, and the proxy up as docs/forward-auth.md has it; a client ' +
        'may have sent the header too'
    },
    authz_no_changes: {
      status: 403,
      error: 'uploads and deletes do not pass here: send them to the gateway itself',
      means: 'a proxy asked about an upload or a delete, into which nobody looks on this way',
      todo: 'let the proxy send them to the gateway itself, or set authz.push'
    }
  },
  'the token endpoint': {
    invalid_request: {
      status: 400,
      error: 'invalid_request',
      means: 'the token request lacks something, or has it twice',
      todo: 'look at `detail`; docs/clients.md has what clients send'
    },
    invalid_scope: {
      status: 400,
      error: 'invalid_scope',
      means: 'a scope cannot be read',
      todo: 'write artifact-repository:TENANT:pull,push'
    },
    unsupported_grant_type: {
      status: 400,
      error: 'unsupported_grant_type',
      means: 'another grant_type than client_credentials, password, token-exchange or jwt-bearer',
      todo: 'use one of them'
    },
    invalid_client: {
      status: 401,
      error: 'invalid_client',
      means: 'the token request has no credentials where it needs some',
      todo: 'send them as Basic or Bearer, or in the form'
    }
  },
  uploads: {
    invalid_upload: {
      status: 400,
      error: 'the upload is not a chart',
      means: 'what was sent is no chart or provenance file that all readers read in one way',
      todo: 'look at `detail`; docs/clients.md, what a chart may be'
    },
    upload_aborted: {
      status: 400,
      error: 'the upload ended before it was complete',
      means: 'the client, or the line to it, broke off',
      todo: 'push again'
    },
    body_too_large: {
      status: 413,
      error: 'request too large',
      means: 'the upload is larger than charts.maxUploadSize',
      todo: 'make the chart smaller (.helmignore), or raise charts.maxUploadSize and ChartMuseum\'s own limit'
    },
    chart_exists: {
      status: 409,
      error: 'chart already exists',
      means: 'the version is there, with other bytes',
      todo: 'push another version, or overwrite with ?force and the right `overwrite`'
    },
    file_exists: {
      status: 409,
      error: 'file already exists',
      means: 'the file is there, with other bytes',
      todo: 'push another version, or overwrite with ?force and the right `overwrite`'
    },
    already_stored: {
      status: 409,
      error: 'already stored, identical',
      means: 'the very same bytes are there',
      todo: 'nothing: X-Chartgate-Conflict says so to programs',
      headers: { 'x-chartgate-conflict': 'identical' }
    },
    lock_unproved: {
      status: 503,
      error: 'nobody can say now whether another replica stores the same version: try again in a few seconds',
      means: 'Redis (redis.url) does not say who else stores this version, and the chart repository would store it ' +
        'twice; or the upload took longer than it could be known',
      todo: 'look at the log\'s line about Redis; docs/operations.md'
    },
    federation_use_unproved: {
      status: 503,
      error: 'nobody can say now whether the token was exchanged before: try again shortly',
      means: 'the token of a job counts once (`exchangeOnce`), and Redis does not answer, `stateDir/exchanged` ' +
        'cannot be written, or its provider has 100,000 others',
      todo: 'look at the log\'s line about Redis or that file; docs/ci.md'
    },
    spool_full: {
      status: 503,
      error: 'too many uploads at once: try again shortly',
      means: 'charts.spool.maxBytes is used up',
      todo: 'try again; raise charts.spool.maxBytes if there is room on the disk of stateDir'
    },
    spool_read_only: {
      status: 507,
      error: 'uploads cannot be stored: the disk of the gateway is read-only',
      means: 'stateDir is on a disk that is mounted read-only',
      todo: 'mount it so that it can be written'
    },
    storage_full: {
      status: 507,
      error: 'the repository has no room left',
      means: 'the chart repository\'s storage, or its limit for a tenant, is full',
      todo: 'make room there'
    }
  },
  'the registry at /v2/': {
    oci_name_invalid: {
      status: 400,
      error: 'no repository of a registry has such a name: TENANT/CHART in lower-case letters, digits and ". _ -"',
      means: 'the name of a repository is outside the grammar of OCI, which has no capitals',
      todo: 'ask for the chart at the chart repository (helm repo add), or name tenant and chart in lower case'
    },
    oci_name_unknown: {
      status: 404,
      error: 'no such repository: oci://HOST/TENANT/CHART',
      means: 'the name has too few or too many parts, its tenant can be none, or the tenant has no such chart',
      todo: 'look at `detail` and at charts.depth'
    },
    oci_manifest_unknown: {
      status: 404,
      error: 'no such version',
      means: 'the chart has no version of this tag, no manifest of this digest, and nothing of it is attached',
      todo: 'nothing; a digest is known while the archive that it is of, or is attached to, is stored'
    },
    oci_blob_unknown: {
      status: 404,
      error: 'no such blob in this repository',
      means: 'no version of the chart has a blob of this digest',
      todo: 'nothing; the version may have been deleted or overwritten'
    },
    oci_no_such_part: {
      status: 416,
      error: 'the blob has no such part: Content-Range says how long it is',
      means: 'a Range begins behind the end of a blob',
      todo: 'nothing; who has all of it already asks so'
    },
    oci_digest_invalid: {
      status: 400,
      error: 'this is no digest: sha256: and 64 of 0-9a-f',
      means: 'a digest is outside the grammar, or too short or long for its algorithm',
      todo: 'look at what sends it'
    },
    oci_digest_mismatch: {
      status: 400,
      error: 'the bytes that came are not those of the digest: push again',
      means: 'a blob or a manifest has another SHA-256 than its client said',
      todo: 'look at the line between client and gateway; nothing of it was kept'
    },
    oci_size_invalid: {
      status: 400,
      error: 'the bytes that came are not as many as was said: push again',
      means: 'a part of an upload, or a blob that a manifest names, has another length than its client said',
      todo: 'look at what sends it'
    },
    oci_manifest_invalid: {
      status: 400,
      error: 'the manifest is none of a chart',
      means: 'what was pushed is no chart, or says something else than its archive; or it is attached to nothing here',
      todo: 'look at `detail`; push with helm push'
    },
    oci_manifest_blob_unknown: {
      status: 400,
      error: 'the manifest names a blob that was not pushed to this repository: push again',
      means: 'a blob of a manifest was never pushed, or waited for longer than ten minutes',
      todo: 'push again'
    },
    oci_upload_busy: {
      status: 409,
      error: 'another request writes to this upload',
      means: 'two requests came for one upload; the first of them may have lost its client',
      todo: 'push again'
    },
    oci_upload_out_of_order: {
      status: 416,
      error: 'the upload is not as long as that: Range says how long it is',
      means: 'a part of an upload was sent twice, or one before it is missing; or its address was used again',
      todo: 'nothing; a client asks for the status and goes on from there'
    },
    oci_too_many_uploads: {
      status: 429,
      error: 'too many pushes to this repository, this tenant or this registry have not been finished: ' +
        'try again later',
      means: 'more waits for its tag than there is room for (docs/oci.md)',
      todo: 'look who begins pushes and does not finish them; what waits is forgotten after ten minutes'
    },
    oci_attachments_full: {
      status: 409,
      error: 'no more is attached to this chart, or in this tenant',
      means: 'more would be attached to a chart, or kept for a tenant, than oci.attachments says',
      todo: 'delete what nobody needs (oras manifest delete), or raise oci.attachments'
    },
    oci_upload_unknown: {
      status: 404,
      error: 'no such upload',
      means: 'no upload has this id: it has ended, or waited for too long, or never was',
      todo: 'push again'
    },
    oci_unsupported: {
      status: 405,
      error: 'this registry does not do that',
      means: 'a client asked for something of OCI that is not offered (docs/oci.md)',
      todo: 'look at `detail`'
    }
  },
  'the upstream': {
    not_in_upstream: {
      status: 404,
      error: 'not found',
      means: 'the chart repository has nothing of that name',
      todo: 'nothing; with every chart, look at charts.depth'
    },
    upstream_rejected: {
      status: 400,
      error: 'the chart repository refused the request',
      means: 'the chart repository refused the request with a sentence of its own',
      todo: 'look at `detail` and at its log'
    },
    upstream_unreachable: {
      status: 502,
      error: 'the chart repository cannot be reached',
      means: 'no connection, or one that broke off',
      todo: 'look at `err`, and at the log\'s line about the outage: chartgate check --upstream'
    },
    upstream_bad_answer: {
      status: 502,
      error: 'the chart repository gave an answer that makes no sense',
      means: 'an answer that is no HTTP, no index, or that nobody asked for',
      todo: 'look at `err`; a proxy or a login in between may answer: chartgate check --upstream'
    },
    upstream_refused_us: {
      status: 502,
      error: 'the chart repository does not accept the gateway',
      means: 'the chart repository refuses the gateway\'s own credential',
      todo: 'chartgate check --upstream says whether it is the key, the clock or the user'
    },
    upstream_too_large: {
      status: 413,
      error: 'request too large for the chart repository',
      means: 'ChartMuseum\'s own limit is below charts.maxUploadSize',
      todo: 'raise --max-upload-size there, or lower charts.maxUploadSize'
    },
    upstream_busy: {
      status: 503,
      error: 'the chart repository is busy: try again shortly',
      means: 'the chart repository answered 429 or 503',
      todo: 'try again; look at its log'
    },
    upstream_no_room: {
      status: 503,
      error: 'all connections to the chart repository are in use: ' +
        'try again in a few seconds, with fewer downloads at once',
      means: 'the client\'s share of the connections is in use',
      todo: 'fetch less at once; more workers have more connections'
    },
    upstream_away: {
      status: 503,
      error: 'the chart repository does not answer: try again shortly',
      means: 'five questions in a row had no answer, nor had its health page: nobody waits until it has; or, of a ' +
        'change, the first of several addresses had none',
      todo: 'look at the log\'s line about the outage: chartgate check --upstream'
    },
    upstream_timeout: {
      status: 504,
      error: 'the chart repository did not answer in time',
      means: '30 s without an answer, or 60 s without a byte of it',
      todo: 'look at the chart repository: its storage may be slow'
    }
  },
  'this process': {
    // These two for the log: their answers had begun.
    download_not_read: {
      status: 503,
      error: 'the download was not read while others waited for a connection',
      means: 'a client did not read its download while others waited',
      todo: 'nothing; the client may try again'
    },
    download_over_share: {
      status: 503,
      error: 'the client had the most downloads while others waited for a connection',
      means: 'a client lost its youngest download while another one waited with at least two fewer',
      todo: 'fetch less at once; more workers have more connections'
    },
    no_descriptors: {
      status: 503,
      error: 'the gateway has no file descriptors left: try again shortly',
      means: 'the process, or the machine, has no file descriptor left',
      todo: 'raise the limit (ulimit -n, LimitNOFILE)'
    },
    internal: {
      status: 500,
      error: 'internal error',
      means: 'an error that nobody expected',
      todo: 'look at `err`, and report it'
    },
    audit_unavailable: {
      status: 503,
      error: 'the change was not made, because it cannot be recorded: try again shortly',
      means: 'with `audit.required`: the intent could not be written to `audit.file`, and so nothing was changed',
      todo: 'look at the line of the log that says why: a full disk, most often'
    },
    audit_outcome_lost: {
      status: 500,
      error: 'the change was made, but could not be recorded: do not send it again before you have looked',
      means: 'with `audit.required`: the change was made, and its outcome could not be written to `audit.file` in time',
      todo: 'look at the line of the log that says why; chartgate audit shows the intent without an outcome'
    },
    closing: {
      status: 503,
      error: 'shutting down',
      means: 'the process ends',
      todo: 'try again: another one serves'
    }
  }
} as const satisfies Record<string, Record<string, Reason>>

type Groups = typeof REASON_GROUPS
type CodesIn<G> = G extends unknown ? keyof G : never
export type ReasonCode = CodesIn<Groups[keyof Groups]>

export const REASONS = Object.assign({}, ...Object.values(REASON_GROUPS)) as Readonly<Record<ReasonCode, Reason>>
