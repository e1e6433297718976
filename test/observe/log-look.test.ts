// At a terminal the log is for people: pino-pretty where it is, and nothing in it moves the cursor.
import t from 'tap'
import { lookAtTerminal, type LogLook } from '../../src/observe/log-look.ts'
import { lineOf } from '../../src/observe/log-form.ts'
import { notTried } from '../helpers/not-tried.ts'

const ESC = '\u001b'

await t.test('without pino-pretty there is no other look than JSON', async t => {
  t.equal(await lookAtTerminal({}, async () => { throw new Error('not installed') }), undefined)
})

await t.test('colour is for who wants it, and only lines of log are changed', async t => {
  const asked: object[] = []
  const look = async (env: Record<string, string>): Promise<LogLook> => await lookAtTerminal(env, async name => {
    t.equal(name, 'pino-pretty')
    return { prettyFactory: (options: object) => { asked.push(options); return ({ msg, err }: { msg: string, err?: { stack: string } }) => `<${msg}>${err?.stack ?? ''}\n` } }
  }) as LogLook
  const shown = await look({ NO_COLOR: '' })
  await look({ NO_COLOR: '1' })
  await look({ TERM: 'dumb' })
  t.match(asked, [{ colorize: true }, { colorize: false }, { colorize: false }])
  t.equal(shown(`welcome\n\n  try\tthis\n${lineOf('error', {}, 'a')}${lineOf('error', {}, 'b')}`), 'welcome\n\n  try\tthis\n<a>\n<b>\n')
  t.equal(shown(lineOf('error', { err: { stack: `Error: a${ESC}\n    at b` } }, `a${ESC}\n`)), '<a\\u{1b}\\u{a}>Error: a\\u{1b}\n    at b\n', 'a stack alone has lines')
  t.equal(shown(`${lineOf('error', {}, 'a')}{"category":"audit","action":"push"}\n`), '<a>\n', 'the line of the log says the same')
  t.equal(shown(`{"msg":"cut ${ESC}[2J\n`), '{"msg":"cut \\u{1b}[2J\n', 'a line that was cut')
})

await t.test('with pino-pretty a line is short, in colour, and shows what is in it without doing it', async t => {
  const [colour, plain] = [await lookAtTerminal({}), await lookAtTerminal({ NO_COLOR: '1' })]
  if (colour === undefined || plain === undefined) {
    await notTried(t, 'pino-pretty', 'it is not installed')
    return
  }
  const line = lineOf('error', { path: `/${ESC}[2J\u009b`, err: { type: 'Error', message: `no ${ESC}c`, stack: `Error: no ${ESC}c\n    at somewhere` } }, `what ${ESC}]0;title\nhappened`)
  t.match(plain(line), /^\[\d\d:\d\d:\d\d\.\d+\] ERROR \(\d+\): what \\u\{1b\}\]0;title\\u\{a\}happened \{"path":"\/\\u\{1b\}\[2J\\u\{9b\}"\}\n/)
  t.match(plain(line), /\n {4,}at somewhere/)
  t.notMatch(plain(line), new RegExp(`${ESC}|\u009b`))
  t.match(colour(line), `${ESC}[31mERROR${ESC}[39m`)
  t.notMatch(colour(line), /* what a colour is not */ new RegExp(`${ESC}(?!\\[\\d+m)`))
  t.match(plain(line), /\n$/)
})
