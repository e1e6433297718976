// `chartgate healthcheck`: is the gateway of this configuration ready? Asked of its admin
// listener, from the same machine, as a container engine does.
import http from 'node:http'
import https from 'node:https'
import { isIPv6 } from 'node:net'
import { text } from 'node:stream/consumers'
import { fail, type ExitCode } from './command.ts'
import { configured, type Configured } from './configured.ts'

export const HEALTHCHECK = configured(runHealthcheck)

/** Milliseconds; the health check of an image usually has three seconds in all. */
const LIMIT = 2_000
/** What listens on every address is asked on loopback. */
const EVERYWHERE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

async function runHealthcheck ({ config: { admin }, options, io }: Configured): Promise<ExitCode> {
  if (admin.port === 0) return fail(io, 'admin.port is 0, any free port: nobody can know which one it is')
  const host = EVERYWHERE[admin.host] ?? admin.host
  const origin = `http${admin.tls === undefined ? '' : 's'}://${isIPv6(host) ? `[${host}]` : host}:${admin.port}`
  const [path, good] = options.live === true ? ['/healthz', 'alive'] : ['/readyz', 'ready']
  try {
    const answer = await ask(`${origin}${path}`)
    const { reason = `status ${answer.status}` } = JSON.parse(answer.text) as { readonly reason?: string }
    if (answer.status !== 200) return fail(io, `not ${good}: ${reason}`)
    io.stdout(`${good}\n`)
    return 0
  } catch (error) {
    const { cause = error } = error as Error
    return fail(io, `not ${good}: ${origin}${path} gives no answer that makes sense: ${(cause as Error).message}`)
  }
}

/** No secret is sent, and the certificate need not be for this address: it is this machine that is asked. */
async function ask (url: string): Promise<{ readonly status: number | undefined, readonly text: string }> {
  const get = url.startsWith('https:') ? https.get : http.get
  return await new Promise((resolve, reject) => {
    get(url, { signal: AbortSignal.timeout(LIMIT), agent: false, rejectUnauthorized: false }, response => {
      text(response).then(text => { resolve({ status: response.statusCode, text }) }, reject)
    }).once('error', reject)
  })
}
