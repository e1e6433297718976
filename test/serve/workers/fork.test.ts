import { spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import t from 'tap'
import { workerProcess } from '../../../src/serve/workers/fork.ts'
import type { ToPrimary } from '../../../src/serve/workers/messages.ts'
import { aChange } from '../../helpers/changes.ts'
import { untilTrue } from '../../helpers/until.ts'

/** A program that answers on the line to its parent, and logs. */
const ECHO = 'process.on("message", m => { if (m.kind === "stop") process.exit(3); console.log("one\\ntw"); process.send({ kind: "failed", message: m.kind }) })'

await t.test('a child process is spoken to, heard, and read line by line until its end', async t => {
  const listeners = process.listenerCount('exit')
  const lines: string[] = []
  const child = workerProcess(spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '-e', ECHO], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] }), text => { lines.push(text) })
  const heard = new Promise<ToPrimary>(resolve => { child.receive(resolve) })
  const ended = new Promise(resolve => { child.onEnd((code, signal) => { resolve([code, signal]) }) })
  child.send({ kind: 'forget', id: 1, change: aChange('x') })
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

/** Says what it hears. */
const LISTENS = 'process.on("message", m => { process.send({ kind: "failed", message: m.kind }) })'

await t.test('what is sent to one that stands still waits here until it goes on, or has ended', async t => {
  for (const signal of ['SIGCONT', 'SIGKILL'] as const) {
    const child = workerProcess(spawn(process.execPath, ['-e', LISTENS], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }), () => {})
    const heard: ToPrimary[] = []
    child.receive(message => { heard.push(message) })
    const ended = new Promise<void>(resolve => { child.onEnd(() => { resolve() }) })
    await child.taken()
    child.send({ kind: 'ping' })
    await untilTrue(() => heard.length === 1) // it has started
    await child.taken()
    process.kill(child.pid as number, 'SIGSTOP')
    for (let i = 0; i < 8; i++) child.send({ kind: 'in_force', piece: { kind: 'rest', rest: 'x'.repeat(200_000) } })
    let taken = 0
    const all = [child.taken(), child.taken()].map(async each => { await each; taken++ })
    await new Promise(resolve => setTimeout(resolve, 100))
    t.equal(taken, 0, 'more than a pipe holds')
    process.kill(child.pid as number, signal)
    await Promise.all(all)
    if (signal === 'SIGCONT') await untilTrue(() => heard.length === 9)
    child.kill()
    await ended
  }
})

await t.test('a dozen workers, each heard by a dozen rooms, are no leak to Node', async t => {
  const warnings: Error[] = []
  const heard = (warning: Error): void => { warnings.push(warning) }
  process.on('warning', heard)
  t.teardown(() => { process.removeListener('warning', heard) })
  const children = Array.from({ length: 12 }, () => Object.assign(new EventEmitter(), { stdout: null, kill: () => true }))
  for (const child of children) {
    const worker = workerProcess(child as unknown as ChildProcess, () => {})
    worker.onEnd(() => {})
    for (let room = 0; room < 12; room++) worker.receive(() => {})
  }
  await new Promise(resolve => { setImmediate(resolve) })
  for (const child of children) child.emit('close', 0, null)
  t.same(warnings, [])
})
