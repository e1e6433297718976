// What `helm test` does: the challenge, a token, and the index with it, asked at the Service
// as clients ask at the public URL. Reads ORIGIN, PUBLIC_URL, TENANT, and perhaps USERNAME,
// PASSWORD and CERTIFICATE; the exit code is 0 when every answer is the right one.
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { text } from 'node:stream/consumers'

const { ORIGIN, PUBLIC_URL, TENANT, USERNAME, PASSWORD, CERTIFICATE } = process.env
const { pathname, hostname, host } = new URL(PUBLIC_URL)
const base = pathname.replace(/\/$/, '')
const name = TENANT === '' ? 'repo' : TENANT
const scope = `artifact-repository:${name}:pull`
const basic = USERNAME === undefined ? undefined : `Basic ${Buffer.from(`${USERNAME}:${PASSWORD}`).toString('base64')}`
// The certificate is for the public name, and trusted as it is: nobody else has its key.
const tls = CERTIFICATE === undefined ? {} : { ca: readFileSync(CERTIFICATE), servername: hostname, allowPartialTrustChain: true }

async function ask (path, authorization) {
  const headers = { host, ...(authorization === undefined ? {} : { authorization }) }
  const response = await new Promise((resolve, reject) => {
    const get = ORIGIN.startsWith('https:') ? https.get : http.get
    get(ORIGIN + base + path, { headers, agent: false, signal: AbortSignal.timeout(30_000), ...tls }, resolve).once('error', reject)
  })
  return { status: response.statusCode, headers: response.headersDistinct, body: await text(response) }
}

function see (what, answer, good) {
  console.log(`${good ? 'ok' : 'not ok'}: ${what} (${answer.status})`)
  if (good) return
  console.log(`x-request-id ${answer.headers['x-request-id']}: ${answer.body.slice(0, 500)}`)
  process.exit(1)
}

const index = TENANT === '' ? '/index.yaml' : `/${TENANT}/index.yaml`
const open = await ask(index)
const challenge = `Bearer realm="${PUBLIC_URL.replace(/\/$/, '')}/oauth/token"`
if (open.status === 200) see(`anybody may read ${name}`, open, true)
else see(`${name} asks for a token, at ${PUBLIC_URL}`, open, open.status === 401 && open.headers['www-authenticate']?.[0].startsWith(challenge))

const granted = await ask(`/oauth/token?scope=${encodeURIComponent(scope)}`, basic)
see(`a token for ${USERNAME ?? 'nobody'}`, granted, granted.status === 200)
const { token } = JSON.parse(granted.body)
const answer = await ask(index, `Bearer ${token}`)
if (open.status === 200 || basic !== undefined) see(`the index of ${name} comes with it`, answer, answer.status === 200 && /^apiVersion: v1$/m.test(answer.body))
else see('nobody has no right to it', answer, answer.status === 401 && /error="insufficient_scope"/.test(answer.headers['www-authenticate']?.[0]))
