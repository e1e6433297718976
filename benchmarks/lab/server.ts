// Something that answers requests during a turn, or why there is none here.

export interface Server {
  /** http://127.0.0.1:PORT */
  readonly origin: string
  /** The Authorization header of a client that may do everything, made now; undefined where nobody is asked. */
  readonly authorization: (tenant?: string) => Promise<string | undefined>
}

export type MaybeServer = Server | { readonly missing: string }

/** The tenant that everything is measured with. */
export const TENANT = 'org1/repo1'
