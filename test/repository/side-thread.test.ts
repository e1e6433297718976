import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { createSideThread, ThreadEnded } from '../../src/repository/side-thread.ts'

// What a task says is what the thread does with it.
const THREAD = `
const { parentPort, threadId } = require('node:worker_threads')
parentPort.on('message', task => {
  if (task === 'end') process.exit(0)
  if (task === 'hang') for (;;);
  if (task === 'memory') for (const all = []; ; ) all.push(new Array(1e5).fill(task))
  if (task === 'fail') parentPort.postMessage({ error: { code: 'ENOENT', message: 'gone' } })
  else setTimeout(() => parentPort.postMessage({ value: task + threadId }), 5)
})`

function counted (most = 60_000): { readonly ask: (task: string, of?: string) => Promise<string>, readonly begun: () => number, readonly threads: readonly Worker[] } {
  const threads: Worker[] = []
  const askOf = createSideThread<string, string>(() => {
    const thread = new Worker(THREAD, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 16 } })
    threads.push(thread)
    return thread
  }, most)
  return { ask: async (task, of = 'us') => await askOf(of, task), begun: () => threads.length, threads }
}

await t.test('one thread does all tasks, one after another', async t => {
  const { ask, begun } = counted()
  const answers = await Promise.all(['a', 'b', 'c'].map(async task => await ask(task)))
  t.match(answers, [/^a\d+$/, /^b\d+$/, /^c\d+$/])
  t.equal(new Set(answers.map(answer => answer.slice(1))).size, 1)
  t.equal(begun(), 1)
})

await t.test('who has many tasks waits for one of everybody else\'s between two of them', async t => {
  const { ask } = counted()
  const done: string[] = []
  const asked = [['a1', 'a'], ['a2', 'a'], ['a3', 'a'], ['a4', 'a'], ['b1', 'b'], ['b2', 'b'], ['c1', 'c']] as const
  await Promise.all(asked.map(async ([task, of]) => { done.push((await ask(task, of)).slice(0, 2)) }))
  t.strictSame(done, ['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4'])
})

await t.test('a task that fails fails alone', async t => {
  const { ask, begun } = counted()
  const [failed, good] = await Promise.allSettled([ask('fail'), ask('a')])
  t.match(failed, { status: 'rejected', reason: { code: 'ENOENT', message: 'gone' } })
  t.match(good, { status: 'fulfilled', value: /^a\d+$/ })
  t.equal(begun(), 1)
})

for (const end of ['end', 'memory']) {
  await t.test(`a thread that ends (${end}) is missed by whoever waits for it, and the next has another`, async t => {
    const { ask, begun } = counted()
    const [ended, next] = await Promise.allSettled([ask(end), ask('a')])
    t.equal(ended.status === 'rejected' && ended.reason instanceof ThreadEnded, true)
    t.match(next, { status: 'fulfilled', value: /^a\d+$/ })
    t.equal(begun(), 2)
  })
}

await t.test('a task that takes too long ends with its thread, and the next goes on', async t => {
  const { ask, begun } = counted(1_000)
  const [ended, next] = await Promise.allSettled([ask('hang'), ask('a')])
  t.equal(ended.status === 'rejected' && ended.reason instanceof ThreadEnded, true)
  t.match(next, { status: 'fulfilled', value: /^a\d+$/ })
  t.equal(begun(), 2)
})

await t.test('a thread that has nothing to do is let go, and another one is there for the next task', async t => {
  const { ask, begun, threads } = counted()
  const awake = setInterval(() => {}, 1_000) // it holds up no end of a process, and here nothing else does
  t.teardown(() => { clearInterval(awake) })
  const first = await ask('a')
  await once(threads[0] as Worker, 'exit')
  t.not((await ask('a')).slice(1), first.slice(1), 'it was another one')
  t.equal(begun(), 2)
  await t.rejects(ask('end'))
  await sleep(1_000)
  t.match(await ask('a'), /^a\d+$/, 'nothing is let go of twice')
})
