import t from 'tap'
import { Backlog, type WaitingLine } from '../../../src/observe/audit/backlog.ts'

const line = (text: string, more: Partial<WaitingLine> = {}): WaitingLine => ({ bytes: Buffer.from(text), ifNot: 'keep', settle: undefined, ...more })
const textOf = (backlog: Backlog): string => {
  const { bytes, lines } = backlog.take()
  backlog.wrote(lines, 0, false)
  return bytes.toString()
}

await t.test('what a write took is gone, and the rest goes on where it stopped', async t => {
  const backlog = new Backlog()
  for (const text of ['one\n', 'two\n', 'three\n']) backlog.add(line(text))
  const { bytes, lines } = backlog.take()
  t.equal(bytes.toString(), 'one\ntwo\nthree\n')
  backlog.add(line('four\n'))
  t.same(backlog.wrote(lines, 6, false).map(each => each.bytes.toString()), ['one\n'])
  t.equal(textOf(backlog), 'o\nthree\nfour\n')
  t.equal(backlog.size, 'two\nthree\nfour\n'.length)
  const again = backlog.take()
  t.same(backlog.wrote(again.lines, again.bytes.length, false).length, 3)
  t.equal(backlog.size, 0)
})

await t.test('in another file a line that was begun stands whole', async t => {
  const backlog = new Backlog()
  backlog.add(line('one\n'))
  backlog.wrote(backlog.take().lines, 2, false)
  backlog.startOver(false)
  t.equal(textOf(backlog), 'one\n')
  backlog.wrote(backlog.take().lines, 2, false)
  backlog.startOver(true)
  t.equal(textOf(backlog), '\none\n', 'of the same file, in which a part of the line stands already')
})

await t.test('who waits is told when it fails, and their line is kept only where it is of use', async t => {
  const backlog = new Backlog()
  const told: string[] = []
  const waiting = (text: string, ifNot: WaitingLine['ifNot']): WaitingLine => line(text, { ifNot, settle: onDisk => { told.push(`${text.trim()} ${onDisk}`) } })
  for (const each of [waiting('begun\n', 'drop'), waiting('intent\n', 'drop'), waiting('outcome\n', 'keep'), line('other\n')]) backlog.add(each)
  backlog.wrote(backlog.take().lines, 2, true)
  t.same(told, ['begun false', 'intent false', 'outcome false'])
  t.equal(textOf(backlog), 'gun\noutcome\nother\n', 'of what is begun the end follows')
  t.equal(backlog.size, 'begun\noutcome\nother\n'.length)
})

await t.test('a line is taken back unless the file has a part of it', async t => {
  const backlog = new Backlog()
  const [one, two, three] = [line('one\n'), line('two\n'), line('three\n')]
  for (const each of [one, two]) backlog.add(each)
  backlog.wrote(backlog.take().lines, 1, false)
  for (const each of [one, two, three]) backlog.takeBack(each)
  t.equal(textOf(backlog), 'ne\n')
  t.equal(backlog.size, 4)
})
