// A real OpenID provider (panva's oidc-provider, which is certified), and somebody who logs in to
// it as a browser does.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'
import type { TestLike } from './folder.ts'
import { newPassword, recordToken } from './secrets.ts'

export interface OpenIdProvider {
  readonly issuer: string
  /** The ID token that somebody gets who logs in. */
  idTokenOf (subject: string): Promise<string>
}

const CALLBACK = 'https://job.example.test/callback'

/** @param audience the client that its tokens are for */
export async function startOpenIdProvider (t: TestLike, audience: string): Promise<OpenIdProvider> {
  const server = createServer()
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(async () => await new Promise<void>(resolve => {
    server.close(() => { resolve() })
    server.closeAllConnections()
  }))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const secret = newPassword()
  const client = { client_id: audience, client_secret: secret, redirect_uris: [CALLBACK], grant_types: ['authorization_code'], response_types: ['code'], token_endpoint_auth_method: 'client_secret_post' }
  const provider = new Provider(issuer, { clients: [client], pkce: { required: () => false }, cookies: { keys: [newPassword()] } })
  server.on('request', provider.callback())
  return {
    issuer,
    async idTokenOf (subject) {
      const query = new URLSearchParams({ client_id: audience, redirect_uri: CALLBACK, response_type: 'code', scope: 'openid' })
      const code = await logIn(`${issuer}/auth?${query.toString()}`, subject)
      const body = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: CALLBACK, client_id: audience, client_secret: secret })
      const { id_token: token } = await (await fetch(`${issuer}/token`, { method: 'POST', body })).json() as { id_token: string }
      return recordToken(token)
    }
  }
}

/** Goes from page to page, answers what is asked, and comes back with the code. */
async function logIn (start: string, subject: string): Promise<string> {
  const cookies = new Map<string, string>()
  const prompts = [{ prompt: 'login', login: subject, password: 'any' }, { prompt: 'consent' }]
  let [url, form]: [string, Record<string, string> | undefined] = [start, undefined]
  for (let step = 0; step < 12; step++) {
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) })
    })
    for (const cookie of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = (cookie.split(';')[0] as string).split('=')
      cookies.set(name, value)
    }
    const location = answer.headers.get('location')
    const next = location === null ? url : new URL(location, url).href
    if (next.startsWith(CALLBACK)) return new URL(next).searchParams.get('code') as string
    form = location === null ? prompts.shift() : undefined
    url = next
  }
  throw new Error(`nobody came back from ${url}`)
}
