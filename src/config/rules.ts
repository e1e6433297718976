// What the schema cannot say: rules about what a text means, and between values. A rule
// is asked only when every value that it reads is sound, so that no mistake is reported
// twice.
import { isIP } from 'node:net'
import { isLoopback, isSafeUrl } from '../lib/safe-url.ts'
import { showText, type Mistake } from '../files/mistakes.ts'
import { leaves } from '../files/nodes.ts'
import { authzMistakes } from './authz-rules.ts'
import { federationMistakes } from './federation-rules.ts'
import { keysOf, type CertificateEntry } from '../identity/certificate-accounts.ts'
import { readDistinguishedName } from '../tls/distinguished-name.ts'
import { redisRules } from './redis.ts'
import { isIpName } from '../tls/name-keys.ts'
import { ConfigSchema, type ConfigFile } from './schema.ts'
import { readDuration, readSize, readWorkers } from '../files/units.ts'
import { isMapping, type Mapping } from '../files/yaml.ts'

const DEMO_KEY = 'MASTERKEY'
const SHORTEST_KEY = 16
const SHORTEST_TTL = 60
/** Seconds. */
const MOST_DRAIN_DELAY = 300
const MOST_CLOCK_SKEW = 300
const MOST_WITHIN = 86_400

/** What publicUrl is in the schema's defaults: the port is known only when all is read. */
export const DEFAULT_URL = leaves(ConfigSchema)
  .find(({ path }) => path.join('.') === 'publicUrl')?.node.default as string

// A host in ASCII (an international name in its xn-- form), because it is in headers.
const ORIGIN = 'https?://[A-Za-z0-9._:[\\]-]+'
const PUBLIC_URL = new RegExp(`^${ORIGIN}(/[A-Za-z0-9][A-Za-z0-9._-]*)*/?$`)
const UPSTREAM_URL = new RegExp(`^${ORIGIN}/?$`)

const KEY_SOURCES = ['publicKey', 'jwksFile', 'jwksUrl'] as const

const CONTROL = /\p{Cc}/u

/**
 * @param values the file's form with all defaults
 * @param unsound keys that somebody complained about already
 */
export function ruleMistakes (values: ConfigFile, unsound: readonly string[]): Mistake[] {
  const mistakes: Mistake[] = []
  const sound = (key: string): boolean => !unsound.some(bad =>
    key === bad || key.startsWith(`${bad}.`) || bad.startsWith(`${key}[`) || bad.startsWith(`${key}.`))
  const rule = (keys: readonly [string, ...string[]], sentence: () => string | false): void => {
    const found = keys.every(sound) && sentence()
    if (found !== false) mistakes.push({ key: keys[0], sentence: found })
  }
  const { listen, admin, drain, publicUrl, workers, upstream, charts, masterKey, allowDemoKey, tokens, audit } = values
  const { logins } = values.limits

  rule(['admin.port', 'admin.host', 'listen.port', 'listen.host'], () =>
    listen.port !== 0 && listen.port === admin.port && listen.host === admin.host &&
    `${admin.port} is the port of the public listener too`)
  rule(['publicUrl'], () => publicUrl !== DEFAULT_URL && !isUrl(publicUrl, PUBLIC_URL) &&
    `${showText(publicUrl)} is not an http or https URL without user, query and fragment`)
  rule(['listen.tls.key', 'listen.tls.cert'], () => halfPair('listen.tls', listen.tls))
  rule(['listen.tls.clientCa', 'listen.tls.cert'], () => listen.tls.clientCa !== '' && listen.tls.cert === '' &&
    'only over TLS a client shows a certificate: it needs listen.tls.cert and listen.tls.key')
  rule(['identity.certificates', 'listen.tls.clientCa'], () =>
    values.identity.certificates.length > 0 && listen.tls.clientCa === '' &&
    'no client is asked for a certificate: name the authorities that issue them in listen.tls.clientCa')
  rule(['upstream.url'], () => upstream.url !== '' && !isUrl(upstream.url, UPSTREAM_URL) &&
    `${showText(upstream.url)} is not an http or https URL without user, path and query ` +
      '(charts.contextPath is for the path)')
  for (const [i, url] of (sound('upstream.urls') ? upstream.urls : []).entries()) {
    rule([`upstream.urls[${i}]`], () => !isUrl(url, UPSTREAM_URL) &&
      `${showText(url)} is not an http or https URL without user, path and query (charts.contextPath is for the path)`)
    rule([`upstream.urls[${i}]`, 'upstream.urls'], () => upstream.urls.indexOf(url) < i &&
      `${showText(url)} is there already, at upstream.urls[${upstream.urls.indexOf(url)}]`)
  }
  rule(['upstream.urls', 'upstream.url'], () => upstream.urls.length > 0 && upstream.url !== '' &&
    'upstream.url is the same list of one address: write that one here too, and leave upstream.url out')
  rule(['upstream.auth', 'upstream.username', 'upstream.password'], () =>
    upstream.auth === 'basic' && (upstream.username === '' || upstream.password === '') &&
    'basic needs upstream.username and upstream.password')
  rule(['drain.delay'], () => readDuration(drain.delay) > MOST_DRAIN_DELAY &&
    `"${drain.delay}" is more than 5m: whatever stops the gateway would have killed it by then`)
  rule(['admin.tls.key', 'admin.tls.cert'], () => halfPair('admin.tls', admin.tls))
  rule(['admin.token'], () => admin.token !== '' && admin.token.length < SHORTEST_KEY &&
    `it is shorter than ${SHORTEST_KEY} characters; make one with: openssl rand -hex 32`)
  rule(['admin.token'], () => /[^\x21-\x7e]/.test(admin.token) &&
    'it contains a blank or another character that a Bearer header cannot carry')
  rule(['upstream.tls.key', 'upstream.tls.cert'], () => halfPair('upstream.tls', upstream.tls))
  rule(['upstream.tls', 'upstream.url', 'upstream.urls'], () =>
    Object.values(upstream.tls).some(each => each !== '') &&
    ![upstream.url, ...upstream.urls].some(each => each.startsWith('https:')) &&
    'it is for a chart repository behind https, and upstream.url does not begin with that')
  rule(['tokens.ttl'], () => readDuration(tokens.ttl) < SHORTEST_TTL &&
    `"${tokens.ttl}" is not a duration of at least ${SHORTEST_TTL}s: clients ask for a new token at most once a minute`)
  rule(['limits.logins.within'], () => readDuration(logins.within) > MOST_WITHIN &&
    `"${logins.within}" is more than 24h: who mistyped a password would be kept out for days`)
  rule(['limits.logins.perAddress', 'limits.logins.perAccount'], () => logins.perAddress < logins.perAccount &&
    `${logins.perAddress} is less than limits.logins.perAccount (${logins.perAccount}), which would never be reached`)
  rule(['masterKey'], () => masterKey !== '' && masterKey !== DEMO_KEY && masterKey.length < SHORTEST_KEY &&
    `it is shorter than ${SHORTEST_KEY} characters; make one with: openssl rand -hex 32`)
  const inHeaders = ['upstream.username', 'upstream.password', 'masterKey', 'tokens.issuer', 'tokens.service'] as const
  for (const key of inHeaders) {
    rule([key], () => CONTROL.test(valueAt(values, key)) &&
      'it contains a line break or another control character, which no header can carry')
  }
  rule(['upstream.username'], () => upstream.username.includes(':') &&
    'it contains a colon, which ends the user name in Basic (RFC 7617 section 2)')
  const sizes = [
    'charts.maxUploadSize', 'charts.spool.maxBytes', 'charts.index.maxBytes', 'oci.attachments.maxBytes'
  ] as const
  for (const key of sizes) {
    rule([key], () => !Number.isSafeInteger(readSize(valueAt(values, key))) &&
      `"${valueAt(values, key)}" is not a size that a computer can have`)
  }
  rule(['charts.spool.maxBytes', 'charts.maxUploadSize', 'workers'], () => {
    const count = readWorkers(workers)
    return count > 1 && readSize(charts.spool.maxBytes) / count < readSize(charts.maxUploadSize) &&
      `"${charts.spool.maxBytes}" for ${count} workers is less than charts.maxUploadSize ` +
        `("${charts.maxUploadSize}") for each: some uploads would never find room`
  })
  rule(['charts.provPostFormFieldName', 'charts.chartPostFormFieldName'], () =>
    charts.provPostFormFieldName === charts.chartPostFormFieldName &&
    `"${charts.provPostFormFieldName}" is charts.chartPostFormFieldName too: a form cannot tell one from the other`)
  for (const host of ['listen.host', 'admin.host', 'authz.listen.host']) {
    rule(['masterKey', host, 'allowDemoKey'], () =>
      masterKey === DEMO_KEY && !allowDemoKey && !isLoopback(valueAt(values, host)) &&
      `the demo's key works on loopback only, and ${host} is ${showText(valueAt(values, host))}: ` +
        'set another masterKey, or allowDemoKey for a walkthrough')
  }
  redisRules(values, rule)
  rule(['audit.required', 'audit.file'], () => audit.required && audit.file === '' &&
    'only a file can be had on the disk before a change is made: name one in audit.file')
  rule(['tokens.keys'], () =>
    tokens.keys.length > 0 && tokens.keys.filter(({ state }) => state === 'active').length !== 1 &&
    'exactly one key is active: it signs')
  rule(['oci.enabled', 'oci.atRoot', 'publicUrl'], () =>
    values.oci.enabled === true && !values.oci.atRoot && isUrl(publicUrl, PUBLIC_URL) && basePathOf(publicUrl) !== '' &&
    `OCI clients ask at /v2/ of a host and know no path, and publicUrl has ${basePathOf(publicUrl)}: ` +
      'let what is in front send /v2/ here and set oci.atRoot, or give the registry a host without a path')
  const isSoundUrl = publicUrl === DEFAULT_URL || (sound('publicUrl') && isUrl(publicUrl, PUBLIC_URL))
  mistakes.push(...authzMistakes(values, sound, isSoundUrl ? basePathOf(publicUrl) : undefined))
  mistakes.push(...certificateMistakes(values.identity, sound))
  mistakes.push(...federationMistakes(values, sound))
  // One that is of a wrong form says nothing of the others.
  const issuers: readonly unknown[] = Array.isArray(tokens.issuers) ? tokens.issuers : []
  const firstOf = (name: string): number => issuers.findIndex(each => isMapping(each) && each['name'] === name)
  for (const [i, each] of issuers.entries()) {
    if (!isMapping(each)) continue
    const issuer = each as ConfigFile['tokens']['issuers'][number]
    rule([`tokens.issuers[${i}]`], () => KEY_SOURCES.filter(source => issuer[source] !== undefined).length !== 1 &&
      `it needs one of ${KEY_SOURCES.join(', ')}`)
    rule([`tokens.issuers[${i}].name`], () => firstOf(issuer.name) < i &&
      `the name ${issuer.name} is there already, at tokens.issuers[${firstOf(issuer.name)}]`)
    rule([`tokens.issuers[${i}].clockSkew`], () =>
      issuer.clockSkew !== undefined && readDuration(issuer.clockSkew) > MOST_CLOCK_SKEW &&
      `"${issuer.clockSkew}" is more than 5m: for so long a token would count that has ended`)
    rule([`tokens.issuers[${i}].jwksUrl`], () => issuer.jwksUrl !== undefined && !isSafeUrl(issuer.jwksUrl) &&
      `${showText(issuer.jwksUrl)} is not an https URL, or an http one on loopback: ` +
        'whoever can change what comes from there can give themselves every right')
  }
  for (const place of ['trustedProxies', 'authz.trustedProxies']) {
    if (!sound(place)) continue
    for (const [i, proxy] of valueAt<string[]>(values, place).entries()) {
      rule([`${place}[${i}]`], () => !isNetwork(proxy) && `${showText(proxy)} is not an IP address or CIDR`)
    }
  }
  return mistakes
}

/** Each is called by one name that no other one has. */
function certificateMistakes ({ certificates }: ConfigFile['identity'], sound: (key: string) => boolean): Mistake[] {
  if (!sound('identity.certificates')) return []
  const placeOf = (i: number): string => `identity.certificates[${i}]`
  const keys = certificates.map(entry => keysOf(entry as CertificateEntry))
  return certificates.flatMap(({ name, subject, ...others }, i): Mistake[] => {
    const [key] = keys[i] as string[]
    const named = certificates.findIndex(each => each.name === name)
    const called = keys.findIndex(each => each[0] === key)
    if (named < i) {
      return [{ key: `${placeOf(i)}.name`, sentence: `the name ${name} is there already, at ${placeOf(named)}` }]
    }
    if (subject !== undefined && readDistinguishedName(subject) === undefined) {
      const sentence = `${showText(subject)} is no distinguished name: ` +
        'write it as openssl x509 -noout -subject -nameopt RFC2253 does, such as CN=ci,OU=Build,O=Example'
      return [{ key: `${placeOf(i)}.subject`, sentence }]
    }
    if (others.ip !== undefined && !isIpName(others.ip)) {
      const sentence = `${showText(others.ip)} is no IP address, such as 10.0.0.7 or 2001:db8::7`
      return [{ key: `${placeOf(i)}.ip`, sentence }]
    }
    const given = CERTIFICATE_NAMES.filter(kind => ({ subject, ...others })[kind] !== undefined).length
    if (given !== 1) return [{ key: placeOf(i), sentence: `it needs one of ${CERTIFICATE_NAMES.join(', ')}` }]
    return called < i ? [{ key: placeOf(i), sentence: `it is called as ${placeOf(called)} is, which counts` }] : []
  })
}

const CERTIFICATE_NAMES = ['subject', 'dns', 'email', 'uri', 'ip'] as const

/** A certificate without its key, or the other way round. */
function halfPair (place: string, { cert, key }: { readonly cert: string, readonly key: string }): string | false {
  if ((cert === '') === (key === '')) return false
  const [there, missing] = cert === '' ? ['key', 'cert'] : ['cert', 'key']
  return `${place}.${there} needs ${place}.${missing}: a certificate and its private key are used together`
}

/** The path of a sound publicUrl, of which the default's has no port yet. */
function basePathOf (publicUrl: string): string {
  return publicUrl === DEFAULT_URL ? '' : new URL(publicUrl).pathname.replace(/\/$/, '')
}

function valueAt<T = string> (values: ConfigFile, key: string): T {
  return key.split('.').reduce<unknown>((place, name) => (place as Mapping)[name], values) as T
}

function isUrl (text: string, form: RegExp): boolean {
  return form.test(text) && URL.canParse(text)
}

function isNetwork (text: string): boolean {
  const [address, bits, ...more] = text.split('/') as [string, string | undefined]
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}
