// What is done to the headers and the body of a valid request: whatever a proxy may be
// made to believe, and every way to be in doubt about where a request ends.
import { pick, type Cast, type Draft } from './draft.ts'
import { neighbours } from './worlds.ts'

type HeaderMutator = (draft: Draft, at: number, what: number, cast: Cast) => void

/** Headers that name another target or method, for who believes them; `@` is a neighbour's name. */
const CLAIMS = [
  'X-Original-URL: /@/index.yaml', 'X-Rewrite-URL: /@/index.yaml', 'X-Original-Uri: /@/index.yaml', 'X-Forwarded-Uri: /@/index.yaml', 'X-Forwarded-Prefix: /@', 'X-Forwarded-Path: /@/index.yaml',
  'X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: https', 'X-Forwarded-For: 127.0.0.1', 'X-Forwarded-Method: DELETE', 'X-Forwarded-User: admin', 'X_Forwarded_User: admin', 'Forwarded: for=127.0.0.1;host=evil.example',
  'X-HTTP-Method-Override: DELETE', 'X-HTTP-Method: DELETE', 'X-Method-Override: POST', 'X-Tenant: @', 'X-Repo: @', 'X-Scope: artifact-repository:@:pull', 'Destination: /@/index.yaml',
  'Host: evil.example', 'X-Request-Id: @', 'Cookie: tenant=@', 'Proxy-Authorization: Basic YTpi', 'Range: bytes=0-9', 'If-None-Match: *', 'If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT', 'Accept-Encoding: gzip, br', 'Accept: */*',
  'User-Agent: kube-probe/1.30', 'Origin: http://evil.example', 'Content-Location: /@/index.yaml', 'Referer: /@/', 'Via: 1.1 a', 'Max-Forwards: 0', 'Te: trailers', 'X: \xff\xfe'
]

/** Headers that say something about the connection, and leave the request's end where it is. */
const CONNECTION = [
  'Connection: close', 'Connection: keep-alive', 'Connection: authorization, x-request-id, host', 'Connection: content-length', 'Connection: upgrade', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__',
  'Upgrade: websocket\r\nConnection: Upgrade', 'Keep-Alive: timeout=1', 'Proxy-Connection: close', 'Expect: 100-continue', 'Expect: 100-Continue', 'Expect: 200-ok', 'Expect: ', 'Trailer: Authorization'
]

/** Headers that say something about the body. */
const LENGTHS = [
  'Content-Length: 0', 'Content-Length: 5', 'Content-Length: 5, 5', 'Content-Length: +5', 'Content-Length: -1', 'Content-Length: 0x5', 'Content-Length: 99999999999999999999', 'Content-Length : 5', 'content-length: 7\r\nContent-Length: 3', 'Content-Length: 30000000',
  'Transfer-Encoding: chunked', 'Transfer-Encoding: xchunked', 'Transfer-Encoding: chunked, identity', 'Transfer-Encoding: gzip, chunked', 'Transfer-Encoding : chunked', 'Transfer-Encoding:\tchunked', 'Transfer-Encoding: identity', 'Transfer-encoding: chunked\r\nContent-Length: 4'
]

/** Lines that are no headers, or that one reader takes for one and another not. */
const LINES = ['X: a\r\n b', ' folded', 'no colon', ': no name', 'X\0: y', 'X : y', 'X: \0', 'X: a\nY: b', 'X: a\rY: b', '', `X: ${'a'.repeat(20_000)}`, 'Content-Type: multipart/form-data', 'Content-Type: \t', 'Content-Type: text/plain; charset=@']

function add (draft: Draft, line: string, at: number): void {
  draft.headers.splice(at % (draft.headers.length + 1), 0, line)
}

function chunked (bytes: Buffer, what: number): Buffer {
  const size = bytes.length.toString(16)
  return pick([
    Buffer.concat([Buffer.from(`${size}\r\n`), bytes, Buffer.from('\r\n0\r\n\r\n')]),
    Buffer.concat([Buffer.from(`${size};ext=1\r\n`), bytes, Buffer.from('\r\n0\r\nAuthorization: Bearer x\r\n\r\n')]),
    Buffer.concat([Buffer.from(`0${size}\n`), bytes, Buffer.from('\n0\n\n')]),
    Buffer.concat([Buffer.from(`${size}\r\n`), bytes, Buffer.from('\r\n0\r\n')]),
    Buffer.concat([Buffer.from('fffffffffffffffff\r\n'), bytes]),
    Buffer.from('0\r\n\r\n')
  ], what)
}

/** Fits the length to the body that is there now. */
function setBody (draft: Draft, bytes: Buffer, contentType: string): void {
  draft.headers = draft.headers.filter(line => !/^content-(?:type|length):/i.test(line))
  draft.headers.push(`Content-Type: ${contentType}`, `Content-Length: ${bytes.length}`)
  draft.body = bytes
}

export const HEADER_MUTATORS: readonly HeaderMutator[] = [
  (draft, at, what, { world }) => { add(draft, pick(CLAIMS, what).replaceAll('@', pick(neighbours(world), what >>> 6)), at) },
  (draft, at, what, { world }) => { add(draft, pick(CLAIMS, what).replaceAll('@', pick(neighbours(world), what >>> 6)), at) },
  (draft, at, what) => { add(draft, pick(CONNECTION, what), at) },
  (draft, at, what) => { add(draft, pick(LENGTHS, what), at); draft.framed = false },
  (draft, at, what) => { add(draft, pick(LINES, what), at); draft.framed = false },
  (draft, at, what, { token, foreignToken }) => {
    add(draft, pick([`Authorization: Bearer ${foreignToken}`, `Authorization: Bearer ${token}`, 'authorization: Basic b3JnMjpyZXBvMg==', 'Authorization: ', 'Authorization: Bearer "><script>', `Authorization: Bearer ${token},${token}`], what), at)
  },
  (draft, _at, what) => {
    const index = draft.headers.findIndex(line => line.startsWith('Authorization: '))
    if (index >= 0) draft.headers[index] = pick(['X: y', (draft.headers[index] as string).slice(0, -3), (draft.headers[index] as string) + 'A', (draft.headers[index] as string).replace(' ', '  '), (draft.headers[index] as string).toUpperCase()], what)
  },
  (draft, at) => { draft.headers.splice(at % draft.headers.length, 1); draft.framed = false },
  (draft, at, what) => { add(draft, draft.headers[what % draft.headers.length] ?? '', at); draft.framed = false },
  (draft, _at, what, { bodies }) => { const { bytes, contentType } = pick(bodies, what); setBody(draft, bytes, contentType) },
  (draft, _at, what) => {
    draft.headers = draft.headers.filter(line => !/^content-length:/i.test(line))
    draft.headers.push(pick(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked', 'transfer-encoding: Chunked', 'Transfer-Encoding: chunked\r\nContent-Length: 1'], what))
    draft.body = chunked(draft.body, what >>> 4)
    draft.framed = false
  },
  // a second request where a body may or may not be
  (draft, _at, what, { world }) => {
    const smuggled = `GET ${world.basePath}/${pick(neighbours(world), what)}/index.yaml HTTP/1.1\r\nHost: x\r\n\r\n`
    draft.body = Buffer.from(smuggled)
    if (what % 3 !== 0) draft.headers.push(`Content-Length: ${pick([smuggled.length, 0, 5, smuggled.length - 1], what >>> 5)}`)
    draft.framed = false
  }
]
