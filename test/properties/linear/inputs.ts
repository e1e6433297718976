// Everything that somebody else writes and we read, with what reads it and how long it may
// be. A header that is read and not here fails the test.
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { readChartArchive } from '../../../src/uploads/archive.ts'
import { readChartYaml } from '../../../src/uploads/archive/chart-yaml.ts'
import { readProvenance } from '../../../src/uploads/archive/provenance.ts'
import { isChartFile, isChartName, isVersion, isVersionQuery } from '../../../src/words/chart-names.ts'
import { parseRequestTarget } from '../../../src/doors/request-target.ts'
import { saidPart } from '../../../src/doors/oci/content-range.ts'
import { MANIFEST_TYPE } from '../../../src/doors/oci/manifest.ts'
import { attachedIn } from '../../../src/doors/oci/attached-manifest.ts'
import { chartIn } from '../../../src/doors/oci/pushed-manifest.ts'
import { readManifest } from '../../../src/doors/oci/read-manifest.ts'
import { createClientReader } from '../../../src/http/client.ts'
import { acceptsGzip, conditionsOf, knowsEtag, wantsPage } from '../../../src/http/conditional.ts'
import { PART_HEADERS, responseHeaders } from '../../../src/http/headers.ts'
import { faultOfHead } from '../../../src/http/request-head.ts'
import { NO_ACCOUNTS } from '../../../src/identity/accounts.ts'
import { readCredentials } from '../../../src/identity/credentials.ts'
import { originOf } from '../../../src/limits/origin.ts'
import { parseScopes } from '../../../src/words/scope.ts'
import { createAuthoriser } from '../../../src/repository/authorise.ts'
import { yamlBudget } from '../../../src/repository/go-yaml.ts'
import { checkMetadata, METADATA } from '../../../src/repository/chart-metadata.ts'
import { extentOf } from '../../../src/repository/conditional.ts'
import type { GoStruct } from '../../../src/repository/go-json.ts'
import { unmarshalYaml } from '../../../src/repository/unmarshal.ts'
import { atOnce } from '../../../src/lib/steps.ts'
import { provenanceFileName } from '../../../src/repository/package.ts'
import { route } from '../../../src/repository/routing.ts'
import { parseConstraint, parseVersion } from '../../../src/repository/versions.ts'
import { readTokenRequest } from '../../../src/doors/token/token-request.ts'
import { createVerifier } from '../../../src/tokens/verify.ts'
import { isPage, refusalOfAnswer } from '../../../src/upstream/answers.ts'
import { readChallenge } from '../../../src/upstream/first-contact.ts'
import { localUrl } from '../../../src/upstream/index-links.ts'
import { rewriteIndex } from '../../../src/upstream/index-rewrite.ts'
import { readDistinguishedName, keyOfName } from '../../../src/tls/distinguished-name.ts'
import { namesOf } from '../../../src/tls/certificate-names.ts'
import { isIpName, keyOfDns } from '../../../src/tls/name-keys.ts'
import { readParts } from '../../../src/uploads/multipart.ts'
import type { Spool } from '../../../src/uploads/spool.ts'
import { ASKER, authenticatorOf } from '../../helpers/accounts.ts'
import { refusalIn } from '../../helpers/refusal.ts'
import { paxEntry, rawTar, rawTgz, TAR_END } from '../../helpers/archives.ts'
import { clockOf } from '../../helpers/clock.ts'
import { ourKeys } from '../../helpers/keys.ts'
import { certificateWith } from '../../helpers/certificate-der.ts'
import { chartYaml } from '../../helpers/packages.ts'
import { NOW, SOURCE } from '../../helpers/tokens.ts'
import type { Alphabet } from './shapes.ts'

export interface Input extends Alphabet {
  readonly name: string
  /** The headers that it is the value of; measured at the whole gateway too. */
  readonly headers?: readonly string[]
  /** What reads it; left out where a header is only compared, or made a number of. */
  readonly read?: (text: string) => unknown
  /** Characters; that of headers in all when left out. */
  readonly longest?: number
  /** How many times what others cost a character of this costs. */
  readonly dear?: number
}

const HEADERS = 16_384
const KIB = 1024
const PLACE = { contextPath: '/cm', tenantPath: 'org1/repo1', basePath: '/helm' }
const LAYOUTS = [{ depth: 2, basePath: '/helm' }, { depth: 'dynamic', basePath: '' }] as const
const CREDENTIALS: Alphabet = {
  starts: ['Basic ', 'Bearer ', 'eyJ', 'Bearer eyJ', 'Bearer eyJhbGciOiJSUzI1NiJ9.', 'Bearer eyJhbGciOiJSUzI1NiJ9.e30.', 'cgr_', 'Basic Og=='],
  units: ['eyJ', 'eyJ.', 'W1tb', 'Og', '=='],
  ends: ['=', '.', '..']
}
const YAML: Alphabet = {
  isText: true,
  starts: ['a: ', chartYaml('x', '1.0.0'), `${chartYaml('x', '1.0.0')}x: `, '? ', '- ', 'a: |\n', 'a: "', "a: '", 'a: !', '%TAG ! ', 'a: [', 'a: 1', 'a: 0x', 'a: &a [', 'a: &a x\nb: '],
  units: ['? ', '- ', ': ', '? : ', '[? ', '[', '{', '{a: ', '? - ', '- : ', '? &a ', '&a ', '*a ', ', *a', '!t ', '!!', '<<: ', '---\n', '...\n', 'a: b\n', '? a\n: b\n', '#\n', '%A\n', '\\n', "''", '1_', ':1', '\u2028', '\ufeff', '  a\n', 'a: *a\n'],
  ends: [']', '}', '\n: x', '\n---\na', '\nx']
}

/** A spool that keeps nothing. */
const NOWHERE: Spool = {
  standing: () => ({ used: 0, files: 0, max: 0, written: 0 }),
  besides: () => {},
  left: () => Infinity,
  async write (source) {
    let size = 0
    for await (const chunk of source) size += chunk.length
    return { path: '/dev/null', size, digest: '', remove: async () => {} }
  }
}

async function form (contentType: string, body: string): Promise<void> {
  await readParts(contentType, Readable.from([Buffer.from(body, 'latin1')]), NOWHERE, { chart: 'chart', prov: 'prov' }).catch(() => {})
}

async function archive (bytes: Buffer): Promise<void> {
  const read = await readChartArchive(Readable.from([bytes]), bytes.length)
  if (read.ok) throw new Error('it is not meant to be a chart')
}

/** An archive of as many entries as it takes. */
function entries (length: number, one: (i: number) => Parameters<typeof rawTar>[0]): Buffer {
  const count = Math.max(1, Math.floor(length / rawTar(one(0), Buffer.alloc(0)).length))
  return gzipSync(rawTar(Array.from({ length: count }, (_, i) => one(i)).flat(), TAR_END), { level: 1 })
}

/** Every input but the tar archives, which are no texts. */
export async function inputs (): Promise<readonly Input[]> {
  const verifier = createVerifier({ keys: await ourKeys(), source: SOURCE, knowsSubject: () => true, clock: clockOf(() => NOW) })
  const authenticator = authenticatorOf(verifier, { masterKey: () => 'a master key of this test', accounts: () => NO_ACCOUNTS, clock: clockOf(() => NOW) })
  const authorise = createAuthoriser({ publicKey: (await ourKeys())().ring.signing(NOW).publicKey, realm: '', service: '', now: () => NOW })
  const readClient = createClientReader({ trustedProxies: ['10.0.0.0/8', '::/0'], publicUrl: 'http://charts.example.test' })
  const client = (header: string) => (text: string) => originOf(readClient('10.0.0.1', { [header]: text }).address)
  const anywhere: Input[] = [
    { name: 'credentials', headers: ['authorization'], ...CREDENTIALS, read: async text => await authenticator.authenticate(readCredentials(text), ASKER, text) },
    { name: 'credentials at the embedded repository', ...CREDENTIALS, read: text => authorise(text, 'org1/repo1', 'pull') },
    { name: 'codings', headers: ['accept-encoding'], starts: ['gzip', 'gzip;', 'gzip;q=', 'gzip;q=0.', 'gzip;q=1.', 'x-gzip ;', 'br,'], units: ['gzip', 'gzip,', ';q=0', '.1', ' ;', 'q='], read: acceptsGzip },
    { name: 'media types', headers: ['accept'], starts: ['text/html', 'text/', 'text/htm', ','], units: ['text/htm', 'text/', ',text', ' ;q=0', '*/*,'], read: wantsPage },
    { name: 'the part of an upload', headers: ['content-range'], starts: ['bytes ', '0-', '-'], units: ['0-', '1', '-', ' ', 'bytes '], ends: ['-1', '/5'], read: text => refusalIn(() => saidPart(text)) },
    { name: 'entity tags', headers: ['if-none-match'], starts: ['"', 'W/"', '"a",', '*,', 'W/'], units: ['W/', '"a",', 'W/"a"', '"",', ', '], ends: ['"a"', ',"a'], read: text => knowsEtag(text, '"a"') },
    { name: 'what a client has of a file', headers: ['range', 'if-range', 'if-modified-since'], starts: ['bytes=', '"', 'Sat, 28 Nov 2026 ', 'W/"'], units: ['0-', '1', '-', ',', ' ', '(', '+0', ':1'], ends: [' GMT', '"', '-5'], read: text => ['range', 'if-range', 'if-modified-since', 'if-none-match'].map(name => [conditionsOf('GET', { [name]: text }), extentOf({ range: 'bytes=0-1', [name]: text }, { etag: '"a"', modified: new Date(0) }, 5)]) },
    { name: 'forwarded addresses', headers: ['x-forwarded-for'], starts: ['[', '::ffff:', '1.1.1.1,'], units: ['10.0.0.1,', '::1,', '[::1]:1,', '%', '::', '1.', 'ffff:', ':1'], ends: [',10.0.0.1', ':80', ']:80'], read: client('x-forwarded-for') },
    { name: 'forwarded hosts', headers: ['x-forwarded-host'], starts: ['[', 'a.'], units: ['a.', 'a:1,', '::'], ends: [':80', ']'], read: client('x-forwarded-host') },
    { name: 'forwarded schemes', headers: ['x-forwarded-proto'], units: ['http,', 'https'], read: client('x-forwarded-proto') },
    { name: 'traces', headers: ['traceparent'], starts: ['00-', '00-4bf92f3577b34da6a3ce929d0e0e4736-'], units: ['0', '-', '00-'], ends: ['-01'], read: text => readClient('10.0.0.1', { traceparent: text }).trace },
    { name: 'transfer codings', headers: ['transfer-encoding'], units: ['chunked', 'chunked,'], read: text => faultOfHead({ httpVersion: '1.1', headers: { 'transfer-encoding': text }, rawHeaders: ['Host', 'x'] }) },
    { name: 'the type of a body', headers: ['content-type'], starts: ['multipart/form-data', 'multipart/form-data; ', 'multipart/form-data; boundary=', 'multipart/form-data; boundary="', "multipart/form-data; boundary*=utf-8''", 'text/html'], units: ['; a=b', '; boundary=b', '%41', "''", '\\"', ';;', '*='], ends: ['; boundary=b'], read: async text => { await form(text, '--b--\r\n'); return isPage({ 'content-type': text }) } },
    { name: 'what is looked at as it is', headers: ['content-length', 'expect', 'upgrade', 'x-request-id'], read: Number },
    { name: 'the time at the upstream', headers: ['date'], starts: ['Sat, 28 Nov 2026 ', '2026-'], units: ['(', '(a)', '+0', ':1', ' 1'], ends: [' GMT', ')'], read: Date.parse },
    { name: 'what the upstream asks for', headers: ['www-authenticate'], starts: ['Bearer ', 'Bearer realm="', 'Bearer scope="artifact-repository:', ' '], units: ['artifact-repository:', 'bearer', ':', '"', 'a,', ' '], ends: [':pull"', '"'], read: readChallenge },
    { name: 'where the upstream sends us', headers: ['location'], starts: ['https://', 'http://a/', '/'], units: ['../', 'a@', '%41', ':', '//', '?'], read: URL.canParse },
    { name: 'what the upstream says of its connection', headers: ['connection'], units: ['close,', 'etag,', ' ,'], read: text => responseHeaders({ connection: text, etag: '"a"' }) },
    { name: 'what the upstream says of a body', headers: PART_HEADERS, read: text => PART_HEADERS.map(name => responseHeaders({ [name]: text }, PART_HEADERS)) },

    { name: 'a path', starts: ['/', '/api/', '/helm/', '/helm/api/org1/repo1/charts/a/', '/org1/repo1/charts/'], units: ['/a', '/..', '/.', '//', '%2B', '%5E', '%2e', '.tgz', '.prov', '/api', '/helm', 'a-1.'], ends: ['/index.yaml', '.tgz', '.tgz.prov', '/charts', '#', '\\'], read: text => LAYOUTS.map(layout => ['GET', 'DELETE'].map(method => parseRequestTarget(method, text, layout))) },
    { name: 'a query', starts: ['force', 'offset=', '%66orce='], units: ['&', 'force&', 'a=b&', ';', '%', '%66', '%ff', '+', '=', '%6', 'limit=1&'], ends: ['&force', '%'], read: text => LAYOUTS.map(layout => parseRequestTarget('POST', `/helm/api/org1/repo1/charts?${text}`, layout)) },
    { name: 'a path at the embedded repository', starts: ['/', '/api/', '/api/org1/repo1/charts/a/', '/cm/'], units: ['/a', '%20', '%2e', '%', '//', '/api', '%c3%a4'], ends: ['/index.yaml', '?a', '%'], read: text => LAYOUTS.map(({ depth }) => ['GET', 'POST', 'DELETE'].map(method => route(method, text, depth, '/cm'))) },
    { name: 'names and versions', starts: ['1.', '1.0.0-', '1.0.0+', 'v', '^', '~', 'a-'], units: ['1.', '0.', '-a', '.a', '1a', 'a.', '+1', '..'], ends: ['.tgz', '.0', '+', '-'], read: text => [isVersion(text), isVersionQuery(text), isChartName(text), isChartFile(text), parseVersion(text)] },
    { name: 'ranges of versions', longest: 256, starts: ['1', '>=1.0 ', '1 - ', '1 || ', '= '], units: ['1 ', '1   ', '1 , ', '|| ', '1 - 2 ', '>= ', '=  ', '1-a.', '1.x ', '|', 'x', '> 1, '], ends: ['!', ' -', ','], read: parseConstraint },
    { name: 'scopes', starts: ['artifact-repository:', 'artifact-repository:a/b:', 'repository(', 'a', 'repository:a/b/'], units: ['a:', 'pull,', '(', '(a', '()', 'a-', '-_', 'a.', '/a', 'artifact-repository:a/b:pull '], ends: [':pull', ')', '):a:pull', ':'], read: text => LAYOUTS.map(({ depth }) => parseScopes([text], depth)) },
    { name: 'parameters of a token request', starts: ['scope=', 'grant_type=password&username=a&password=', 'grant_type=client_credentials&client_id=a&client_secret=', 'grant_type='], units: ['scope=a&', 'account=a&', '%26', '+', '%', '&', 'a=b&', '%ff', '=&'], ends: ['&grant_type=password'], read: text => [readTokenRequest('GET', text, undefined, { kind: 'none' }), readTokenRequest('POST', '', text, { kind: 'none' }), readTokenRequest('POST', 'grant_type=client_credentials', undefined, { kind: 'basic', username: text, password: text })] },
    { name: 'a remote answer that refuses', starts: ['{"error":"', '{"error":"open '], units: ['/', 'File', 'open ', ' a', 'eyJ', 'bearer ', 'read', '\\u0041', '['], ends: ['"}', ' File: "}', '/"}'], read: text => [400, 409, 507].map(status => refusalOfAnswer(status, text)) },

    { name: 'a form', longest: 64 * KIB, dear: 10, starts: ['--b\r\n', '--b\r\nContent-Disposition: form-data; name="chart"; filename="x"\r\n\r\n', '--b\r\nContent-Disposition: form-data; name="other"\r\n\r\n'], units: ['--b\r\n', '\r\n--b\r\n', '--b\r\n\r\n\r\n', '\r\n--', '\r\n', '\r', '--b', '-', '\r\n\r\n', '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n', '--b\r\nA: b\r\n\r\n\r\n'], ends: ['\r\n--b--\r\n', '\r\n--b'], read: async text => { await form('multipart/form-data; boundary=b', text) } },
    { name: 'the head of a part of a form', longest: 96 * KIB, dear: 4, starts: ['--b\r\n', '--b\r\nContent-Disposition: ', '--b\r\nContent-Disposition: form-data; name="', '--b\r\nContent-Disposition: form-data; name="chart"; filename="', '--b\r\nContent-Type: ', '--b\r\nContent-Type: a; '], units: ['a: b\r\n', ' a\r\n', '\\', '\\"', '; a=b', ';', '%41', "a*=utf-8''%41;", '"', '\r', '\n', ':'], ends: ['\r\n\r\nx\r\n--b--\r\n', '"\r\n\r\nx\r\n--b--\r\n'], read: async text => { await form('multipart/form-data; boundary=b', text) } },
    { name: 'Chart.yaml', ...YAML, longest: 6 * KIB, dear: 50, read: readChart },
    { name: 'Chart.yaml, as long as it may be', ...YAML, longest: 64 * KIB, kinds: ['stairs'], dear: 8, read: readChart },
    { name: 'YAML at the embedded repository', ...YAML, longest: 64 * KIB, dear: 8, read: readMuch },
    { name: 'a provenance file', longest: 64 * KIB, isText: true, starts: ['-----BEGIN PGP SIGNED MESSAGE-----', '-----BEGIN PGP SIGNED MESSAGE-----\nname: '], units: ['\nname: a', '\nname:', '\nversion: 1', '\nname: "', '\n-----BEGIN PGP SIGNATURE-----', '-----BEGIN', '\nname: a\nversion: 1'], ends: ['\nname: a\nversion: 1.0.0\n', '"'], read: text => [readProvenance(text), provenanceFileName(text)] },
    { name: 'an index in blocks', longest: 16 * KIB, dear: 50, isText: true, starts: ['apiVersion: v1\nentries:\n', 'apiVersion: v1\nentries:\n  a:\n  - urls:\n    - ', 'apiVersion: v1\nentries:\n  a:\n  - apiVersion: v1\n    description: '], units: ['  a:\n', '  - a: b\n', '    urls:\n', '    - charts/a-1.0.0.tgz\n', '    a: b\n', '\r', '\u0085', '\u2028', '      a\n', '    - http://a/cm/org1/repo1/charts/a.tgz\n'], ends: ['\ngenerated: "x"\nserverInfo: {}\n'], read: text => rewriteIndex(Buffer.from(text), PLACE) },
    { name: 'an index in JSON', longest: 64 * KIB, starts: ['"entries":{"a":[{"urls":["', '"entries":{', '"'], units: ['{"a":', '[', '"a":[],', '\\u0041', '{"urls":["charts/a.tgz"]},'], ends: ['"]}]}}', '}}', ']'], read: text => rewriteIndex(Buffer.from(`{${text}`), PLACE) },
    { name: 'an index in other YAML', ...YAML, longest: 6 * KIB, dear: 50, read: text => rewriteIndex(Buffer.from(text), PLACE) },
    { name: 'a link of an index', longest: 64 * KIB, starts: ['charts/', 'http://', 'http://a/cm/org1/repo1/charts/', '//', 'HTTPS://[', '/cm/org1/repo1/charts/'], units: ['%2B', '../', 'a/', '//', 'http:', '[', ':'], ends: ['.tgz', '\\', '/..'], read: text => localUrl(text) },
    { name: 'a manifest that is pushed', longest: 64 * KIB, isText: true, starts: ['{"schemaVersion":2,"config":{', '{"layers":[', '{"'], units: ['{"a":', '[', '"a":1,', '\\u0041', '\\"', '"layers":[{}],', '{},'], ends: [']}', '}', '"}', '":1}'], read: text => [attachedIn, chartIn].map(read => refusalIn(() => read(readManifest(Buffer.from(text), MANIFEST_TYPE)))) },
    { name: 'a distinguished name', longest: 64 * KIB, starts: ['CN=ci,', 'CN=', '2.5.4.', ' ', 'CN=a\\ '], units: ['CN=a,', 'CN=a+', ' ', '\\ ', '\\2c', '=', '1.', 'a', ',CN='], ends: ['=a', ' ', '\\', ',O=Lab', '"'], read: text => { const name = readDistinguishedName(text); return name === undefined ? undefined : keyOfName(name) } },
    { name: 'a name in a certificate', longest: 64 * KIB, units: ['a', ', DNS:', '\0', 'a.'], read: text => [namesOf(Buffer.from(certificateWith([text]))), keyOfDns(text), isIpName(text)] },
    { name: 'names in a certificate', longest: 5 * KIB, dear: 50, units: ['a,', ',', 'a.b,'], read: text => namesOrWhy(Buffer.from(certificateWith(text.split(',')))) },
    { name: 'bytes that are to be a certificate', longest: 64 * KIB, starts: ['0\x82', '0\x800\x80'], units: ['0\x80', '\x31\x80', '\x05\0', '\xa0\x80'], read: text => namesOrWhy(Buffer.from(text, 'latin1')) },
    { name: 'bytes that are to be an archive', longest: 256 * KIB, read: async text => { await archive(Buffer.from(text)) } },
    { name: 'bytes in an archive', longest: 256 * KIB, units: ['\0', 'ustar\x0000', '0000644\0'], read: async text => { await archive(gzipSync(text, { level: 1 })) } }
  ]
  return anywhere.map(input => ({ longest: HEADERS, ...input }))
}

/** Of too many names, or of what is none, there is an error. */
function namesOrWhy (der: Uint8Array): unknown {
  try {
    return namesOf(der)
  } catch (error) {
    return error
  }
}

async function readChart (text: string): Promise<unknown> {
  return await readChartYaml(Buffer.from(text)).catch((error: unknown) => error) // requirements.yaml is read by the same parser
}

function readMuch (text: string): unknown {
  const read = atOnce(unmarshalYaml(Buffer.from(text), METADATA, yamlBudget(), {}))
  return read.ok ? checkMetadata(read.value as GoStruct) : read
}

/** Archives of about so many bytes, before they are packed. */
export const ARCHIVES: Readonly<Record<string, (length: number) => Buffer>> = {
  'empty files': length => entries(length, i => [{ name: `a/${i}` }]),
  folders: length => entries(length, i => [{ name: `a/${i}/`, type: '5' }]),
  'one name': length => entries(length, () => [{ name: 'a/b/', type: '5' }]),
  'long names': length => entries(length, i => [{ name: 'x', type: 'L', body: `a/${String(i).padStart(4_000, 'x')}\0` }, { name: 'y' }]),
  'names of nothing but folders': length => entries(length, i => [{ name: 'x', type: 'L', body: `a${'/b'.repeat(1_900)}/${i}\0` }, { name: 'y' }]),
  'extended headers': length => entries(length, i => [paxEntry(...Array.from({ length: 200 }, (_, j): [string, string] => [`k${j}`, 'v'])), { name: `a/${i}` }]),
  'one extended header': length => rawTgz([paxEntry(...Array.from({ length: Math.min(length, 64 * KIB) / 9 }, (): [string, string] => ['k', 'vv'])), { name: 'a/x' }]),
  'one large file': length => rawTgz([{ name: 'a/x', body: Buffer.alloc(length, 'x') }]),
  'nothing behind the end': length => rawTgz([{ name: 'a/x' }], Buffer.alloc(length - length % 512)),
  'charts in a chart': length => entries(length, i => [{ name: `a/charts/b${i}/Chart.yaml`, body: chartYaml('b', '1.0.0') }])
}

/** Reads one of them. */
export async function readArchive (bytes: Buffer): Promise<void> {
  await archive(bytes)
}
