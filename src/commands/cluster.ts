// How is the API of the Kubernetes cluster asked that a pod runs in? With the token, the
// authority and the namespace of its service account, and the address that every pod has
// in its environment.
import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import { Agent } from 'undici'
import type { Environment } from '../config/environment.ts'

export interface Cluster {
  readonly namespace: string
  /** @param body of a server-side apply */
  readonly ask: (method: 'GET' | 'PATCH', path: string, body?: string) => Promise<ApiAnswer>
  readonly close: () => Promise<void>
}

export interface ApiAnswer { readonly status: number, readonly text: string }

/** Where the kubelet puts it. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
/** Milliseconds for an answer. */
const LIMIT = 30_000

/**
 * @param folder of the service account
 * @throws a sentence where this is no pod, or one without a token
 */
export async function openCluster (env: Environment, folder = SERVICE_ACCOUNT): Promise<Cluster> {
  const host = env['KUBERNETES_SERVICE_HOST']
  const port = env['KUBERNETES_SERVICE_PORT']
  if (host === undefined || port === undefined) {
    throw new Error('this is no pod of Kubernetes: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set')
  }
  const [token, ca, namespace] = await Promise.all(['token', 'ca.crt', 'namespace'].map(async name => {
    const file = join(folder, name)
    return await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new Error(`${file} cannot be read (${error.code}): the pod needs automountServiceAccountToken: true`)
    })
  })) as [string, string, string]
  const origin = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`
  // Of this authority alone: Node's own list counts for nothing here.
  const agent = new Agent({ connect: { ca }, headersTimeout: LIMIT, bodyTimeout: LIMIT })
  return {
    namespace: namespace.trim(),
    async ask (method, path, body) {
      const headers = { authorization: `Bearer ${token.trim()}`, accept: 'application/json' }
      const type = { 'content-type': 'application/apply-patch+yaml' }
      try {
        const answer = await agent.request({
          origin,
          path,
          method,
          ...(body === undefined ? { headers } : { headers: { ...headers, ...type }, body })
        })
        return { status: answer.statusCode, text: await answer.body.text() }
      } catch (error) {
        throw new Error(`the API server at ${origin} does not answer: ${(error as Error).message}`)
      }
    },
    close: async () => { await agent.close() }
  }
}
