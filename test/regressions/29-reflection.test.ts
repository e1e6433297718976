// Class 29, reflection and header splitting: what a client sends comes back in a body or
// a header, where a browser, a log or another proxy takes it for the server's word. The
// auth-server-example of chartmuseum/auth echoes the credential that it refuses.
import t, { type Test } from 'tap'
import { startApp } from '../helpers/app.ts'
import { archiveOf, formOf } from '../helpers/packages.ts'
import { askRaw, type RawResponse } from '../helpers/raw.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'

/** In everything that is sent, and in nothing that comes back. */
const MARK = 'm4rk'
const NASTY = [`${MARK}"`, `${MARK}<script>alert(1)</script>`, `${MARK}', error="x", realm="http://evil`, `${MARK}\\`, `${MARK}\t${MARK}`, `${MARK}%0d%0aSet-Cookie:%20a=b`, `${MARK}\x80\xff`, MARK.repeat(2_000)]
const URL_NASTY = ['<script>', '%0d%0aX:%20y', '%22', '"', "'", '%3Cscript%3E', '%00', '..%2f', ';', '\\', '%'].map(each => MARK + each)

const stub = await startStubUpstream(t)
const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, charts: { ...config.charts, maxUploadSize: 100_000 } }) })
const auth = `Host: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\n`

/** True when nothing of what was sent came back, in a header or in the body. */
function isSilent (answer: RawResponse): boolean {
  return answer.status >= 400 && !answer.text.toLowerCase().includes(MARK) && answer.headers['set-cookie'] === undefined && answer.headers['x'] === undefined
}

async function check (t: Test, name: string, bytes: string | Buffer): Promise<void> {
  const answer = await askRaw(gateway.port, bytes)
  t.ok(isSilent(answer), name, { text: answer.text })
}

await t.test('no credential comes back', async t => {
  const doors = ['GET /org1/repo1/index.yaml', 'POST /api/org1/repo1/charts', 'GET /oauth/token?scope=artifact-repository:org1/repo1:pull', 'POST /oauth/token']
  for (const nasty of NASTY) {
    const basic = Buffer.from(`${nasty}:${nasty}`, 'latin1').toString('base64')
    const jwt = `eyJ${Buffer.from(`{"alg":"${MARK}","kid":"${MARK}"}`).toString('base64url').slice(3)}.e30.${MARK}`
    for (const value of [`Bearer ${nasty}`, nasty, `${nasty} ${nasty}`, `Basic ${nasty}`, `Basic ${basic}`, `Bearer ${jwt}`]) {
      for (const door of doors) await check(t, `${door} ${value.slice(0, 40)}`, Buffer.from(`${door} HTTP/1.1\r\nHost: x\r\nAuthorization: ${value}\r\nContent-Length: 0\r\n\r\n`, 'latin1'))
    }
  }
})

await t.test('no part of a target comes back', async t => {
  for (const nasty of URL_NASTY) {
    for (const path of [`/${nasty}`, `/${nasty}/repo1/index.yaml`, `/org1/repo1/charts/${nasty}`, `/org1/repo1/charts/${nasty}-1.0.0.tgz`, `/api/org1/repo1/charts/${nasty}/1.0.0`, `/api/org1/repo1/charts/a/${nasty}`, `/org1/repo1/x?${nasty}=${nasty}`]) {
      for (const method of ['GET', 'DELETE', 'PUT']) await check(t, `${method} ${path}`, `${method} ${path} HTTP/1.1\r\n${auth}\r\n`)
    }
  }
})

await t.test('no header comes back', async t => {
  for (const nasty of NASTY) {
    for (const name of ['Host', 'X-Forwarded-Host', 'X-Request-Id', 'Origin', 'Referer', 'User-Agent', 'Expect', 'Cookie', 'Content-Type', 'Content-Encoding', 'Accept']) {
      const host = name === 'Host' ? '' : 'Host: x\r\n'
      await check(t, `${name}: ${nasty.slice(0, 40)}`, Buffer.from(`POST /api/org1/repo1/charts HTTP/1.1\r\n${host}${name}: ${nasty}\r\nContent-Length: 1\r\n\r\nx`, 'latin1'))
      await check(t, `${name}: ${nasty.slice(0, 40)}`, Buffer.from(`POST /api/org1/repo1/charts HTTP/1.1\r\n${host}Authorization: Bearer ${gateway.masterKey}\r\n${name}: ${nasty}\r\nContent-Length: 1\r\n\r\nx`, 'latin1'))
    }
  }
})

await t.test('no parameter of a token request comes back', async t => {
  for (const nasty of [...NASTY, ...URL_NASTY]) {
    const encoded = encodeURIComponent(nasty)
    const scopes = [encoded, `artifact-repository:${encoded}:pull`, `${encoded}:org1/repo1:pull`, `artifact-repository:org1/repo1:${encoded}`]
    const forms = [...scopes.map(scope => `grant_type=client_credentials&scope=${scope}`), `grant_type=${encoded}`, `grant_type=password&username=${encoded}&password=${encoded}`, `grant_type=refresh_token&refresh_token=${encoded}`, `${encoded}=${encoded}&${encoded}=${encoded}`, `grant_type=client_credentials&account=${encoded}&service=${encoded}&client_id=${encoded}&scope=x`]
    for (const form of forms) {
      const type = 'Content-Type: application/x-www-form-urlencoded\r\n'
      await check(t, form.slice(0, 80), `POST /oauth/token HTTP/1.1\r\nHost: x\r\n${type}Content-Length: ${form.length}\r\n\r\n${form}`)
      if (form.length < 8_000) await check(t, form.slice(0, 80), `GET /oauth/token?${form} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${Buffer.from('x:y').toString('base64')}\r\n\r\n`)
    }
  }
})

/** The sentence names what is wrong in an upload: as JSON, printable and bounded, and in no header. */
function isNamed ({ status, text, headers, body }: RawResponse): boolean {
  const { error } = JSON.parse(body) as { error: string }
  const head = text.slice(0, text.indexOf('\r\n\r\n'))
  return status >= 400 && !head.toLowerCase().includes(MARK) && headers['content-type']?.[0] === 'application/json; charset=utf-8' &&
    error.length < 600 && !/\p{C}/u.test(error)
}

await t.test('of a refused upload no more comes back than the name of what is wrong in it', async t => {
  const check = async (t: Test, name: string, bytes: Buffer): Promise<void> => {
    const answer = await askRaw(gateway.port, bytes)
    t.ok(isNamed(answer), name, { text: answer.text })
  }
  stub.seen.length = 0 // of the targets above some are names that a stored file can have
  for (const nasty of NASTY) {
    const yaml = `apiVersion: v2\nname: ${JSON.stringify(nasty)}\nversion: ${JSON.stringify(nasty)}\n${MARK}: [\n`
    const archives = [await archiveOf([{ name: `${MARK}/Chart.yaml`, body: yaml }]), await archiveOf([{ name: `${MARK}/Chart.yaml`, body: yaml.replace(/\n[^\n]*\[\n$/, '\n') }]), await archiveOf([{ name: `../${MARK}`, body: nasty }])]
    const forms = [formOf([{ field: MARK, filename: MARK, body: nasty }]), formOf([{ field: 'chart', filename: MARK, body: nasty }]), formOf([{ field: 'prov', filename: MARK, body: nasty }]), formOf([{ field: 'chart', body: nasty }])]
    const prov = `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nname: ${nasty}\nversion: ${nasty}\n`
    for (const [body, type] of [...archives.map(each => [each, 'application/gzip'] as const), ...forms.map(each => [each.body, each.contentType] as const)]) {
      await check(t, type, Buffer.concat([Buffer.from(`POST /api/org1/repo1/charts HTTP/1.1\r\n${auth}Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`), body]))
    }
    await check(t, 'provenance', Buffer.from(`POST /api/org1/repo1/prov HTTP/1.1\r\n${auth}Content-Length: ${Buffer.byteLength(prov, 'latin1')}\r\n\r\n${prov}`, 'latin1'))
  }
  t.same(stub.seen, [], 'and the upstream was never asked')
})
