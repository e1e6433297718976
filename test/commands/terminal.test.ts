import { PassThrough } from 'node:stream'
import t from 'tap'
import { readLine, readSecret } from '../../src/commands/terminal.ts'

/** A terminal, and what it shows. */
function terminal (): { readonly input: PassThrough & { isTTY: true }, readonly output: PassThrough } {
  return { input: Object.assign(new PassThrough(), { isTTY: true as const }), output: new PassThrough() }
}

const NO_UTF8 = { ok: false, message: /^it is no UTF-8/ }

await t.test('a secret comes from a pipe as it is, without the end of its line', async t => {
  const cases: [sent: string | Buffer, expected: object][] = [
    ['pass word\n', { ok: true, secret: 'pass word' }],
    ['x\r\n', { ok: true, secret: 'x' }],
    ['two\nlines\n\n', { ok: true, secret: 'two\nlines\n' }],
    ['', { ok: true, secret: '' }],
    ['schön\n', { ok: true, secret: 'schön' }],
    [Buffer.from('sch\xf6n\n', 'latin1'), NO_UTF8]
  ]
  for (const [sent, expected] of cases) {
    const input = new PassThrough()
    input.end(sent)
    const output = new PassThrough()
    t.match(await readSecret(input, output, 'Password: ', 'Again: '), expected, String(sent))
    t.equal(output.read(), null, 'without a prompt')
  }
})

await t.test('a secret that is typed is asked for, and not shown', async t => {
  const { input, output } = terminal()
  const reading = readSecret(input, output, 'Password: ')
  input.write('hush-hush\n')
  t.strictSame(await reading, { ok: true, secret: 'hush-hush' })
  const shown = String(output.read())
  t.match(shown, /Password: /)
  t.notMatch(shown, 'hush')
})

await t.test('one that is typed twice has to be the same', async t => {
  for (const [second, expected] of [['hush', { ok: true, secret: 'hush' }], ['hash', { ok: false, message: 'what was typed the second time is something else' }]] as const) {
    const { input, output } = terminal()
    const reading = readSecret(input, output, 'Password: ', 'The same again: ')
    output.on('data', (shown: Buffer) => {
      const line = String(shown).includes('Password') ? 'hush\n' : String(shown).includes('again') ? `${second}\n` : ''
      setImmediate(() => { input.write(line) })
    })
    t.strictSame(await reading, expected, second)
  }
})

await t.test('what is typed ends without a secret when there is none, or no UTF-8', async t => {
  const cases: [name: string, typed: (input: PassThrough) => void, expected: object][] = [
    ['an end', input => { input.end() }, { ok: false, message: 'nothing was typed' }],
    ['an end the second time', input => { input.write('x\n'); setTimeout(() => { input.end() }, 50) }, { ok: false, message: 'nothing was typed' }],
    ['other bytes', input => { input.write(Buffer.from('sch\xf6n\n', 'latin1')) }, NO_UTF8],
    ['a terminal that breaks', input => { input.destroy(new Error('gone')) }, { ok: false, message: 'nothing was typed' }]
  ]
  for (const [name, type, expected] of cases) {
    const { input, output } = terminal()
    const reading = readSecret(input, output, 'Password: ', 'Again: ')
    type(input)
    t.match(await reading, expected, name)
  }
})

await t.test('an answer is a line, and its end without one is none', async t => {
  for (const [type, expected] of [
    [(input: PassThrough) => { input.write('https://charts.example\n') }, 'https://charts.example'],
    [(input: PassThrough) => { input.write('\n') }, ''],
    [(input: PassThrough) => { input.end() }, undefined]
  ] as const) {
    const { input, output } = terminal()
    const reading = readLine(input, output, 'The URL: ')
    type(input)
    t.equal(await reading, expected)
    t.match(String(output.read()), /^The URL: /)
  }
})
