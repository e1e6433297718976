// Nothing that a client sends forges a line of the audit log, or brings a secret into it:
// whatever stands in names, paths, scopes, headers and credentials. Each line is held against
// the schema, and against one line and nothing unseen, where it is written (helpers/audit.ts).
import fc from 'fast-check'
import t from 'tap'
import { AUDIT_ACTIONS, type AuditEvent } from '../../src/observe/audit/schema.ts'
import { auditLine } from '../../src/observe/audit/line.ts'
import { deedEvent } from '../../src/observe/audit/event.ts'
import { soundLine } from '../helpers/audit.ts'
import { startApp } from '../helpers/app.ts'
import { askRaw } from '../helpers/raw.ts'
import { newPassword } from '../helpers/secrets.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { basic } from '../helpers/team.ts'
import { untilTrue } from '../helpers/until.ts'

const HOSTILE = ['\n', '\r\n', '\u2028', '\u2029', '\u0085', '\u001b[2J', '\u202e', '\u200b', '\ufeff', '"', '\\', '\0', '\ud800', '\udfff', '\u{e0001}', '{"category":"audit"}', '\n{"category":"audit","outcome":"success"}\n', 'ä', '漢', '%0a', '%E2%80%A8', '../', '+']
const hostile = fc.array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ maxLength: 4 }), fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 6 }).map(parts => parts.join(''))

await t.test('any text in an event is one line, and the same text for who reads it', t => {
  fc.assert(fc.property(hostile, hostile, (subject, object) => {
    const event = deedEvent({ action: 'user.add', outcome: 'success', actor: { subject, kind: 'operator', method: 'command' }, object })
    const line = soundLine(auditLine(event))
    const read = JSON.parse(line) as AuditEvent
    t.equal(read.object, object)
    t.equal(read.actor.subject, subject)
  }), { numRuns: 500 })
  t.end()
})

await t.test('a request writes one line at most, of what the gateway says and not of what came', async t => {
  const upstream = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: upstream.origin, config: config => ({ ...config, log: { ...config.log, level: 'silent' }, audit: { reads: true, required: false } }) })
  const secrets: string[] = []
  const header = (text: string): string => Buffer.from(text.replaceAll(/[\r\n\0]/g, '')).toString('latin1')
  const path = (text: string, raw: boolean): string => raw ? header(text).replaceAll(/\s/g, '') : encodeURIComponent(Buffer.from(text).toString())
  await fc.assert(fc.asyncProperty(hostile, hostile, fc.boolean(), fc.constantFrom('GET', 'POST', 'DELETE', 'PUT'), fc.nat(4), async (name, more, raw, method, where) => {
    const before = gateway.audit.length
    const secret = newPassword()
    secrets.push(secret)
    const target = [`/org1/repo1/charts/${path(name, raw)}`, `/api/org1/repo1/charts/${path(name, raw)}/${path(more, raw)}`, `/x${path(name, raw)}`, `/oauth/token?service=x&scope=${path(name, raw)}&account=${path(more, raw)}&password=${secret}`, `/org1/repo1/index.yaml?token=${secret}`][where] as string
    const authorization = raw ? basic(`${Buffer.from(name).toString().replaceAll(':', '')}${secret}`, secret) : `Bearer ${secret}`
    await askRaw(gateway.port, Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nAuthorization: ${authorization}\r\nX-Forwarded-For: ${header(more)}\r\ntraceparent: ${header(name)}\r\nX-Request-Id: ${header(more)}${secret}\r\nUser-Agent: ${header(name)}${secret}\r\nConnection: close\r\n\r\n`, 'latin1'))
    await untilTrue(() => gateway.audit.length > before)
    t.equal(gateway.audit.length, before + 1)
    const { outcome, action, actor, trace_id: trace, client } = gateway.audit.at(-1) as AuditEvent
    t.not(outcome, 'success')
    t.ok(Object.hasOwn(AUDIT_ACTIONS, action))
    t.match(actor.subject, /^(?:unknown|anonymous)$/)
    t.same([trace, client], [undefined, { address: '127.0.0.1' }])
  }), { numRuns: 100 })
  const text = gateway.auditText()
  t.equal(text.split('\n').length - 1, gateway.audit.length)
  for (const secret of secrets) if (text.includes(secret)) t.fail('a secret is in the audit log')
})
