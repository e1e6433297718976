// Who logs in from where, what the limits of failed logins say to that (logins.ts), and what
// becomes of its password.

export interface Login {
  /** Where it comes from, as `originOf` names it. */
  readonly origin: string
  /** The account that it is about, whether there is one or not; '' for what no account can be called. */
  readonly account: string
  /** The same for the same credentials against the same hash, and made with `key`. */
  readonly proof: string
  /** The address is the connection's own, and no trusted proxy's. */
  readonly isPeer: boolean
}

export type Admission = { readonly ok: true } | Refused

export interface Refused {
  readonly ok: false
  /** After which it may be tried again. */
  readonly seconds: number
}

/** What became of a hash; `failed`: it was not computed to its end, and nobody learned anything. */
export type Outcome = 'right' | 'wrong' | 'failed'
