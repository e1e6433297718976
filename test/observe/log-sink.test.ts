// The log waits for nobody, and what nobody could read is counted.
import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { createLogSink, MOST_WAITING_BYTES, openLog, STANDARD_OUTPUT } from '../../src/observe/log-sink.ts'
import { testFolder } from '../helpers/folder.ts'
import { run } from '../helpers/processes.ts'
import { readAll } from '../helpers/unread.ts'
import { until, untilTrue } from '../helpers/until.ts'

const lostLine = (lines: number): string => `lost ${lines}\n`

/** A reader that takes at most so many bytes at a time, and nothing while its room is 0. */
function reader (): { write: (bytes: Uint8Array) => number, room: number, most: number, code: string, text: () => string, times: number } {
  const taken: Buffer[] = []
  const self = {
    room: Infinity,
    most: Infinity,
    code: 'EAGAIN',
    times: 0,
    text: () => Buffer.concat(taken).toString(),
    write (bytes: Uint8Array) {
      self.times++
      const size = Math.min(bytes.length, self.most, self.room)
      if (size === 0) throw Object.assign(new Error('no'), { code: self.code })
      self.room -= size
      taken.push(Buffer.from(bytes.subarray(0, size)))
      return size
    }
  }
  return self
}

const turn = async (): Promise<void> => { await new Promise(resolve => { setImmediate(resolve) }) }

await t.test('what is logged in one turn of the event loop is written at its end in one go', async t => {
  const r = reader()
  const sink = createLogSink(r.write, lostLine)
  for (const line of ['a\n', 'b\n', 'c\n']) sink.write(line)
  t.equal(r.text(), '')
  await turn()
  t.same([r.text(), r.times, sink.lost()], ['a\nb\nc\n', 1, 0])
})

await t.test('what a reader does not take waits, and nothing is torn, doubled or turned around', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 30 }), fc.array(fc.nat(60), { maxLength: 20 }), fc.integer({ min: 1, max: 9 }), async (lines, rooms, most) => {
    const r = reader()
    r.most = most
    r.room = 0
    const sink = createLogSink(r.write, lostLine)
    const all = lines.map(line => `${line.replaceAll('\n', '')}\n`)
    for (const [i, line] of all.entries()) {
      sink.write(line)
      r.room = rooms[i] ?? 0
      await turn()
    }
    r.room = Infinity
    sink.writeLast()
    return r.text() === all.join('')
  }), { numRuns: 100 })
})

await t.test('beyond a bound lines are counted and not kept, and the count stands where they are missing', async t => {
  const r = reader()
  r.room = 0
  const sink = createLogSink(r.write, lostLine)
  const line = `${'x'.repeat(1023)}\n`
  const kept = MOST_WAITING_BYTES / 1024
  for (let i = 0; i < kept; i++) sink.write(line)
  sink.write('too much\nand more\n')
  t.equal(sink.lost(), 2)
  await turn()
  r.room = MOST_WAITING_BYTES / 4
  await untilTrue(() => r.room === 0)
  sink.write('lost as well, although there is room: the line that says so is not written yet\n')
  r.room = Infinity
  await untilTrue(() => r.text().includes('lost'))
  sink.write('kept again\n')
  await turn()
  t.equal(r.text(), `${line.repeat(kept)}lost 3\nkept again\n`)
})

await t.test('what is shown of a line is what waits, and what is lost is counted as it came, and not looked at', async t => {
  const r = reader()
  r.room = 0
  let looked = 0
  const sink = createLogSink(r.write, lostLine, lines => {
    looked++
    return `<${lines.trim()}>${'x'.repeat(lines.startsWith('long') ? MOST_WAITING_BYTES : 0)}\n`
  })
  for (const line of ['a\n', 'long\nand more\n', 'lost\n']) sink.write(line)
  t.equal(looked, 2)
  r.room = Infinity
  sink.writeLast()
  t.equal(r.text(), '<a>\n<lost 3>\n')
})

await t.test('a line that is longer than everything that may wait is counted too', async t => {
  const r = reader()
  const sink = createLogSink(r.write, lostLine)
  sink.write(`${'x'.repeat(MOST_WAITING_BYTES)}\n`)
  await turn()
  t.equal(r.text(), 'lost 1\n')
})

await t.test('a log that cannot be written, as on a full disk, is written as soon as it can be', async () => {
  const r = reader()
  r.room = 0
  r.code = 'ENOSPC'
  const sink = createLogSink(r.write, lostLine)
  sink.write('a\n')
  await turn()
  sink.write('b\n')
  r.room = Infinity
  await untilTrue(() => r.text() === 'a\nb\n')
})

await t.test('the end of the process waits a moment for a reader, and not at all for one that is gone', t => {
  const r = reader()
  r.room = 0
  const sink = createLogSink(r.write, lostLine)
  sink.write('a\n')
  sink.writeLast()
  t.ok(r.times > 1, 'it was tried again')
  r.times = 0
  r.code = 'EPIPE'
  sink.writeLast()
  t.equal(r.times, 1)
  r.room = Infinity
  sink.writeLast()
  t.equal(r.text(), 'a\n')
  t.end()
})

/** A pipe with both of its ends. */
function pipeIn (dir: string): { reader: number, writer: number } {
  const path = join(dir, 'pipe')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  return { reader, writer: openSync(path, constants.O_WRONLY) }
}

await t.test('a pipe that nobody reads keeps nobody waiting, and says what was lost once it is read', async t => {
  const { reader, writer } = pipeIn(testFolder(t))
  const log = openLog(writer)
  const line = `{"msg":"${'x'.repeat(8 * 1024)}"}\n`
  const lines = Math.ceil(MOST_WAITING_BYTES / line.length * 2)
  for (let i = 0; i < lines; i++) {
    log.write(line)
    if (i % 16 === 0) await turn()
  }
  let text = ''
  const said = await until(() => {
    text += readAll(reader)
    return /^\{.*"lines":.*\}\n/m.exec(text)?.[0]
  })
  const { level, lines: lost, pid, msg } = JSON.parse(said) as Record<string, unknown>
  t.match({ level, pid, msg }, { level: 'error', pid: process.pid, msg: `${lost} lines of log were lost here` })
  t.equal(text.split(line).length - 1 + (lost as number), lines)
})

await t.test('a pipe whose reader has gone, and a file', async t => {
  const dir = testFolder(t)
  const { reader, writer } = pipeIn(dir)
  closeSync(reader)
  const unread = openLog(writer)
  unread.write('nobody reads this\n')
  await turn()
  unread.writeLast()

  const path = join(dir, 'file')
  writeFileSync(path, 'before\n')
  const file = openLog(openSync(path, 'a'))
  file.write('a\n')
  file.writeLast()
  file.write('b\n')
  await turn()
  t.equal(readFileSync(path, 'utf8'), 'before\na\nb\n')
})

await t.test('standard output is made not to wait, and nothing is written to it by that', t => {
  const listeners = process.stdout.listenerCount('error')
  openLog(STANDARD_OUTPUT)
  t.ok(process.stdout.listenerCount('error') >= listeners)
  t.end()
})

await t.test('what was logged last is written when the process ends, in whatever way', async t => {
  for (const end of ['', 'process.exit(3)', 'throw new Error("boom")']) {
    const script = `import { openLog, STANDARD_OUTPUT } from './dist/src/observe/log-sink.js'
      const log = openLog(STANDARD_OUTPUT)
      for (let i = 0; i < 20000; i++) log.write(\`\${i} of many lines\\n\`)
      ${end}`
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script])
    t.equal(stdout.split('\n').length, 20_001, end)
  }
})
