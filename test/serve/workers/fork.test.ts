import { spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import t from 'tap'
import { closeUntaken, workerProcess } from '../../../src/serve/workers/fork.ts'
import type { ToPrimary } from '../../../src/serve/workers/messages.ts'

/** A program that answers on the line to its parent, and logs. */
const ECHO = 'process.on("message", m => { if (m.kind === "stop") process.exit(3); console.log("one\\ntw"); process.send({ kind: "failed", message: m.kind }) })'

await t.test('a child process is spoken to, heard, and read line by line until its end', async t => {
  const listeners = process.listenerCount('exit')
  const lines: string[] = []
  const child = workerProcess(spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '-e', ECHO], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] }), text => { lines.push(text) })
  const heard = new Promise<ToPrimary>(resolve => { child.receive(resolve) })
  const ended = new Promise(resolve => { child.onEnd((code, signal) => { resolve([code, signal]) }) })
  child.send({ kind: 'forget', id: 1, tenant: 'x' })
  t.same(await heard, { kind: 'failed', message: 'forget' })
  child.send({ kind: 'stop' })
  t.same(await ended, [3, null])
  t.equal(lines.join(''), 'one\ntw\n')
  t.equal(process.listenerCount('exit'), listeners, 'nothing is left of it')
  child.send({ kind: 'stop' })
  await new Promise(resolve => { setImmediate(resolve) })
})

await t.test('it is killed whatever it does, and needs no output', async t => {
  const child = workerProcess(spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }), () => {})
  t.type(child.pid, 'number')
  child.kill()
  t.same(await new Promise(resolve => { child.onEnd((code, signal) => { resolve([code, signal]) }) }), [null, 'SIGKILL'])
})

await t.test('the connections that a worker had not taken when it died are closed, and no others', t => {
  const passed: unknown[][] = []
  const child = Object.assign(new EventEmitter(), { send: (...args: unknown[]) => passed.push(args) > 0 })
  closeUntaken(child as unknown as ChildProcess)
  const closed: string[] = []
  const handle = (name: string): object => ({ close () { closed.push(name) } })
  const [a, b, c, other] = ['a', 'b', 'c', 'other'].map(handle)
  const sends = [[{ act: 'newconn', key: 'v4' }, a], [{ act: 'newconn', key: 'v4' }, b], [{ act: 'newconn', key: 'v6' }, c], [{ act: 'reply' }, other], [{ kind: 'stop' }]]
  for (const args of sends) t.equal((child.send as (...args: unknown[]) => boolean)(...args), true)
  t.same(passed, sends, 'everything is sent as it was')
  t.same(closed, [])
  child.emit('exit', null, 'SIGKILL')
  t.same(closed, ['b', 'c'], 'the last one of each listener: the next is sent when it was taken')
  t.end()
})
