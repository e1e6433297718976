import { readFileSync, writeFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { deedEvent } from '../../src/observe/audit/event.ts'
import { auditLine } from '../../src/observe/audit/line.ts'
import type { AuditEvent } from '../../src/observe/audit/schema.ts'
import { auditLinesOf } from '../helpers/audit.ts'
import { command } from '../helpers/commands.ts'
import { testFolder } from '../helpers/folder.ts'
import { run } from '../helpers/processes.ts'
import { newPassword, recordSecret } from '../helpers/secrets.ts'

const MASTER = { subject: 'key:master', kind: 'key', method: 'basic' } as const

function line (time: string, more: Partial<AuditEvent> = {}): string {
  return auditLine({ ...deedEvent({ action: 'push', outcome: 'success', actor: MASTER }), time: `2026-01-01T${time}.000Z`, tenant: 'team-a/web', chart: 'web', version: '1.0.0', ...more })
}

await t.test('rows are of all files, rotated and gzipped ones too, oldest first, and of what was asked for', async t => {
  const folder = testFolder(t)
  const [now, before, first] = ['audit.log', 'audit.log.1', 'audit.log.2.gz'].map(name => join(folder, name)) as [string, string, string]
  writeFileSync(now, line('12:00:00', { action: 'delete', actor: { subject: 'user:alice', kind: 'user', method: 'basic' }, reason: 'not_in_upstream', outcome: 'failure' }))
  writeFileSync(before, line('11:00:00', { tenant: 'other', client: { address: '10.0.0.1', forwarded: '203.0.113.1' } }) + '{"level":"info","msg":"another line"}\n\n')
  writeFileSync(first, gzipSync(line('10:00:00', { actor: { subject: 'unknown', kind: 'unknown', method: 'basic', name_hash: 'ab'.repeat(32) }, action: 'login', outcome: 'denied' })))
  const rows = async (...argv: string[]): Promise<string[]> => (await command(['audit', ...argv, now, before, first])).out.trimEnd().split('\n').slice(1).map(row => row.slice(11, 16))
  t.same(await rows(), ['10:00', '11:00', '12:00'])
  t.same(await rows('--tenant', 'other'), ['11:00'])
  t.same(await rows('--actor', 'alice'), ['12:00'])
  t.same(await rows('--actor', 'user:alice'), ['12:00'])
  t.same(await rows('--actor', 'ab'.repeat(32)), ['10:00'])
  t.same(await rows('--action', 'push'), ['11:00'])
  t.same(await rows('--since', '2026-01-01T13:00:00+02:00'), ['11:00', '12:00'])
  t.same(await rows('--since', '1s'), [])
  t.match((await command(['audit', now])).out, /^TIME +OUTCOME +ACTION +ACTOR +FROM +WHAT\n2026-01-01T12:00:00.000Z +failure +delete +user:alice +- +team-a\/web {2}web 1.0.0 {2}not_in_upstream\n$/)
  t.match((await command(['audit', before])).out, '203.0.113.1')
  t.match((await command(['audit', first])).out, 'unknown#abababababab')
  t.equal((await command(['audit', '--json', now])).out, readFileSync(now, 'utf8'))
})

await t.test('a row says what a token is for, which rule allowed it, and where lines are missing', async t => {
  const file = join(testFolder(t), 'audit.log')
  const none = { tenant: undefined, chart: undefined, version: undefined } as unknown as Partial<AuditEvent>
  writeFileSync(file, [
    line('10:00:00', { ...none, action: 'token.issue', token: { asked: 'all', granted: 'some' } }),
    line('10:00:01', { ...none, action: 'token.issue', outcome: 'denied', token: { asked: 'all' } }),
    line('10:00:02', { version: undefined, rule: 'policy[0]' } as unknown as Partial<AuditEvent>),
    line('10:00:03', { ...none, action: 'audit.lost', lines: 3 }),
    line('10:00:04', { ...none, action: 'configuration.reload', object: 'a.yaml', detail: 'broken' }),
    line('10:00:05', { ...none, action: 'pull', file: 'web-1.0.0.tgz', client: {} })
  ].join(''))
  const rows = (await command(['audit', file])).out.trimEnd().split('\n').slice(1)
  t.same(rows.map(row => row.split(/ {2,}/).slice(5)), [['some'], ['all'], ['team-a/web', 'web', 'by policy[0]'], ['3 lines'], ['a.yaml', 'broken'], ['web-1.0.0.tgz']])
})

await t.test('of a tenant are also requests for tokens for it, or for a chart in it', async t => {
  const file = join(testFolder(t), 'audit.log')
  const none = { tenant: undefined, chart: undefined, version: undefined } as unknown as Partial<AuditEvent>
  const asked = ['artifact-repository:team-a/web:pull,push', 'x artifact-repository:b/c:pull artifact-repository:team-a/web:pull', 'repository:team-a/web/mine:pull', 'artifact-repository:team-a/web2:pull', 'artifact-repository:team-a/web/mine:pull', 'repository:team-a:pull', 'team-a/web', '']
  writeFileSync(file, asked.map((scopes, i) => line(`10:00:0${i}`, { ...none, action: 'token.issue', token: { asked: scopes } })).join(''))
  const { out } = await command(['audit', '--tenant', 'team-a/web', file])
  t.same(out.trimEnd().split('\n').slice(1).map(row => row.slice(11, 19)), ['10:00:00', '10:00:01', '10:00:02'])
})

await t.test('a reader who has enough may go, as head does', async t => {
  const file = join(testFolder(t), 'audit.log')
  // More than a pipe holds.
  writeFileSync(file, line('10:00:00').repeat(5_000))
  for (const more of ['', '--json']) {
    const { code, stdout, stderr } = await run('sh', ['-c', `{ "$0" dist/src/cli.js audit ${more} "$1"; echo "ended with $?" >&2; } | head -n 1`, process.execPath, file])
    t.equal(code, 0)
    t.match(stdout, more === '' ? /^TIME[^\n]*\n$/ : /^\{[^\n]*\}\n$/)
    t.equal(stderr, 'ended with 0\n')
  }
})

await t.test('an intent without an outcome is unfinished, wherever its outcome is looked for', async t => {
  const folder = testFolder(t)
  const [a, b] = [join(folder, 'a'), join(folder, 'b')]
  const id = '11111111-1111-4111-8111-111111111111'
  const intent = (time: string, more: Partial<AuditEvent> = {}): string => {
    const { outcome: _none, ...rest } = JSON.parse(line(time, more)) as AuditEvent
    return auditLine({ ...rest, phase: 'intent' })
  }
  writeFileSync(a, intent('10:00:00', { event_id: id }) + intent('10:00:01', { version: '2.0.0' }))
  writeFileSync(b, line('10:00:02', { event_id: id }))
  const { out } = await command(['audit', b, a])
  t.equal(out.split('\n').length, 4)
  t.match(out, /success +push.*\n.*UNFINISHED +push +key:master +- +team-a\/web {2}web 2\.0\.0\n$/)
  t.equal((await command(['audit', '--unfinished', b, a])).out.split('\n').length, 3)
  t.equal((await command(['audit', '--unfinished', '--json', b, a])).out.split('\n').length, 2)
  t.equal((await command(['audit', '--json', b, a])).out.split('\n').length, 4, 'the lines as they are')
  t.equal((await command(['audit', '--unfinished', '--tenant', 'other', a])).out.split('\n').length, 2)
  writeFileSync(a, Array.from({ length: 10_002 }, () => intent('10:00:00')).join(''))
  t.match(await command(['audit', '--unfinished', a]), { err: /more than 10000 intents had no outcome yet: 2 are not shown/ })
})

await t.test('a copy of some lines makes no change unfinished, whichever file is named first', async t => {
  const folder = testFolder(t)
  const [whole, copy, broken] = ['whole', 'copy', 'broken.gz'].map(name => join(folder, name)) as [string, string, string]
  const outcome = line('10:00:00')
  const { outcome: _none, ...rest } = JSON.parse(outcome) as AuditEvent
  const intent = auditLine({ ...rest, phase: 'intent' })
  writeFileSync(whole, intent + outcome)
  writeFileSync(copy, intent)
  writeFileSync(broken, gzipSync(line('11:00:00').repeat(2)).subarray(0, -9))
  const unfinished = async (files: readonly string[], input?: () => Readable): Promise<number> =>
    (await command(['audit', '--unfinished', ...files], {}, '', undefined, input)).out.split('\n').length - 2
  t.equal(await unfinished([copy, whole]), 0)
  t.equal(await unfinished([whole, copy]), 0)
  t.equal(await unfinished([whole, '-'], () => Readable.from([Buffer.from(intent)])), 0)
  t.equal(await unfinished([copy, broken, '-'], () => Readable.from([Buffer.from('')])), 1)
})

await t.test('of files that begin alike it is said that one is a copy', async t => {
  const folder = testFolder(t)
  const [whole, copy, another] = ['audit.log', 'audit.log.gz', 'audit.log.1'].map(name => join(folder, name)) as [string, string, string]
  const first = line('10:00:00')
  writeFileSync(whole, first + line('10:00:01'))
  writeFileSync(copy, gzipSync(first))
  writeFileSync(another, line('09:00:00'))
  const { err, out } = await command(['audit', whole, another, copy])
  t.equal(err, `chartgate: warning: ${copy} begins as ${whole} does: is one a copy? What both hold is shown twice\n`)
  t.equal(out.trimEnd().split('\n').length - 1, 4, 'no line is missing')
  t.equal((await command(['audit', whole, another])).err, '')
})

await t.test('of what can be read only once no line is missing, and more files than descriptors are read', async t => {
  const folder = testFolder(t)
  const file = join(folder, 'audit.log')
  // More than is read at once.
  writeFileSync(file, line('10:00:00').repeat(400))
  const names = Array.from({ length: 100 }, (_, i) => join(folder, `audit.log.${i}`))
  for (const name of names) writeFileSync(name, line('10:00:00').repeat(400))
  const { stdout, stderr } = await run('sh', ['-c', 'mkfifo "$1.pipe"; cat "$1" > "$1.pipe" & "$0" dist/src/cli.js audit --json "$1.pipe" | wc -l; ulimit -n 64; shift; exec "$0" dist/src/cli.js audit --since 1s "$@"', process.execPath, file, ...names])
  t.equal(stderr, '')
  t.match(stdout, /^ *400\nTIME .*\n$/)
})

await t.test('what cannot be read is counted, and what a terminal would obey is shown', async t => {
  const folder = testFolder(t)
  const file = join(folder, 'audit.log')
  const good = line('10:00:00', { chart: '\u001b[2J\u202eweb' })
  writeFileSync(file, `${good}{"category":"audit","torn\n${'x'.repeat(2 * 1024 * 1024)}\n{"category":"audit"}\n{"category":"audit","cut":"`)
  const { code, out, err } = await command(['audit', file])
  t.equal(code, 0)
  t.match(out, '\\u{1b}[2J\\u{202e}web 1.0.0')
  t.equal(err, 'chartgate: warning: 4 lines could not be read\n')
  writeFileSync(file, gzipSync(good.repeat(50)).subarray(0, 60))
  t.match(await command(['audit', file]), { code: 1, err: /audit.log cannot be read to its end: unexpected end of file/ })
  t.match(await command(['audit', join(folder, 'missing')]), { code: 1, err: /missing cannot be read to its end: ENOENT/ })
  t.match(await command(['audit', join(folder, 'missing\u001b[2J')]), { err: /missing\\u\{1b\}\[2J cannot be read to its end: ENOENT[^[]*\[2J'\n$/ })
  writeFileSync(file, line('10:00:00').replace('"method"', '"name_hash":5,"method"') + line('10:00:01'))
  t.match(await command(['audit', file]), { out: /10:00:01/, err: /1 line could not be read/ })
  writeFileSync(file, '')
  t.match(await command(['audit', file]), { code: 0, err: '' })
  writeFileSync(file, 'x'.repeat(2 * 1024 * 1024))
  t.match(await command(['audit', file]), { err: /1 line could not be read/ })
})

await t.test('standard input is read, and nothing is waited for where there is none', async t => {
  const input = (): Readable => Readable.from([Buffer.from(line('10:00:00').replace('\n', '\r\n'))])
  t.match((await command(['audit', '-'], {}, '', undefined, input)).out, 'web 1.0.0')
  t.match((await command(['audit'], {}, '', undefined, input)).out, 'web 1.0.0')
  t.match(await command(['audit']), { code: 1, err: 'chartgate: nothing is on standard input here: name the files\n' })
  t.match(await command(['audit', '--since', 'yesterday', '--action', 'loggin', 'a']), { code: 2, err: /--since "yesterday" is neither.*\n.*--action "loggin" is none/ })
})

await t.test('what a command changes is in the file that the configuration names, and where that is required not done without', async t => {
  const folder = testFolder(t)
  const [config, accounts, file] = ['chartgate.yaml', 'accounts.yaml', 'audit.log'].map(name => join(folder, name)) as [string, string, string]
  const configure = (audit: object): void => { writeFileSync(config, JSON.stringify({ stateDir: join(folder, 'state'), accounts: { files: [accounts] }, audit })) }
  writeFileSync(accounts, 'robots: []\n')
  const create = async (name: string, ...more: string[]): ReturnType<typeof command> => {
    const done = await command(['robot', 'create', name, '--expires', '1d', '--config', config, ...more])
    if (done.out !== '') recordSecret(done.out.trim())
    return done
  }
  configure({ file: 'audit.log' })
  t.equal((await create('one')).code, 0)
  t.equal((await create('one')).code, 1)
  t.equal(statSync(file).mode & 0o777, 0o600)
  const done = auditLinesOf(readFileSync(file, 'utf8'))
  t.match(done, [{ action: 'robot.create', outcome: 'success', object: 'robot:one', actor: { kind: 'operator', method: 'command' } }, { outcome: 'failure' }])
  configure({ file: 'audit.log', required: true })
  t.equal((await create('two')).code, 0)
  t.same(auditLinesOf(readFileSync(file, 'utf8')).slice(2).map(({ phase, event_id: id }) => [phase, id]).map(([phase]) => phase), ['intent', 'outcome'])
  writeFileSync(file, '{"cut', { flag: 'a' })
  t.equal((await create('not-cut')).code, 0)
  t.same(readFileSync(file, 'utf8').split('\n').slice(4, -1).map(each => each.slice(0, 12)), ['{"cut', '{"category":', '{"category":'])
  configure({ file: 'missing/audit.log', required: true })
  t.match(await create('three'), { code: 1, err: /nothing is changed, because it cannot be recorded: audit.file .* its folder is missing/ })
  t.notMatch(readFileSync(accounts, 'utf8'), 'three')
  configure({ file: 'missing/audit.log' })
  t.match(await create('four'), { code: 0, err: /warning: this is not in the audit log: audit.file/ })
  configure({ file: 5 })
  t.match(await create('five', '--file', accounts), { code: 0, err: /warning: this is not in the audit log: .*audit\.file: 5 is not/ })
  t.equal((await create('six')).code, 1)
  configure({ file: '/dev/full' })
  t.match(await create('seven'), { code: 0, err: /\/dev\/full cannot be written: ENOSPC/ })
  t.equal((await command(['robot', 'create'], {})).code, 2)
})

await t.test('each command that changes an account or a key is recorded, with what it was done to', async t => {
  const folder = testFolder(t)
  const [config, accounts, file] = ['chartgate.yaml', 'accounts.yaml', 'audit.log'].map(name => join(folder, name)) as [string, string, string]
  writeFileSync(config, JSON.stringify({ stateDir: join(folder, 'state'), accounts: { files: [accounts] }, audit: { file } }))
  writeFileSync(accounts, 'users: []\n')
  const done: [words: string[], recorded: string][] = [
    [['user', 'add', 'carol'], 'user.add user:carol'],
    [['user', 'passwd', 'carol'], 'user.passwd user:carol'],
    [['user', 'disable', 'carol'], 'user.disable user:carol'],
    [['user', 'enable', 'carol'], 'user.enable user:carol'],
    [['robot', 'create', 'ci', '--expires', '1d'], 'robot.create robot:ci'],
    [['robot', 'rotate', 'ci', '--expires', '2d'], 'robot.rotate robot:ci'],
    [['robot', 'disable', 'ci'], 'robot.disable robot:ci'],
    [['robot', 'enable', 'ci'], 'robot.enable robot:ci'],
    [['robot', 'delete', 'ci'], 'robot.delete robot:ci'],
    [['keys', 'rotate'], 'keys.rotate undefined']
  ]
  t.equal((await command(['keys', 'export', '--config', config])).code, 0, 'which makes them')
  for (const [words] of done) {
    const { code, out, err } = await command([...words, '--config', config], {}, newPassword())
    t.equal(code, 0, `${words.join(' ')} ${err}`)
    if (words[0] === 'robot' && out !== '') recordSecret(out.trim())
  }
  t.same(auditLinesOf(readFileSync(file, 'utf8')).map(({ action, object }) => `${action} ${object}`), done.map(([, recorded]) => recorded))
})
