// Class 46: a process that outlives its parent, or its own end, in a hook that waits for
// somebody: the log wrote what was left to a closed pipe without end, or to one that
// nobody read. Every end has an end, whatever becomes of the log.
import { Agent } from 'node:http'
import t from 'tap'
import { inShort } from '../helpers/in-short.ts'
import { allGone, ask, halfAnUpload, linesOf } from '../helpers/several.ts'
import { childrenOf, HANGS, startUnread, startWithWorkers, THREADS_HANG } from '../helpers/unread.ts'
import { until, untilTrue } from '../helpers/until.ts'

/** Milliseconds, for what is seen after 20 s, and a slow machine. */
const LONG = 60_000
const DEEP = { charts: { depth: 10 } }
const ALONE = { config: DEEP }
const SEVERAL = { config: { ...DEEP, workers: 2 } }
/** What is refused of it is a line of more than 2000 bytes. */
const LONG_TENANT = Array.from({ length: 10 }, () => 'x'.repeat(200)).join('/')
const LONG_INDEX = `/${LONG_TENANT}/index.yaml`
/** How many such lines are more than a pipe holds, and more than is kept in memory, too. */
const MORE_THAN_A_PIPE = 128
const MORE_THAN_IS_KEPT = 4096

async function logMuch ({ url }: { url: string }, times: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  for (let i = 0; i < times; i += 32) {
    await Promise.all(Array.from({ length: 32 }, async () => {
      const { status } = await ask({ url }, LONG_INDEX, { agent, key: 'a key that is wrong' })
      if (status !== 401) throw new Error(`the gateway answered ${status}`)
    }))
  }
  agent.destroy()
}

// The last test's: it is seen after 20 s, in which the others go on.
const hanging = await startUnread(t, { mischief: true })
process.kill(hanging.pid, THREADS_HANG)

await t.test('no worker outlives a primary that is killed, with a log that it could not write', { timeout: 90_000 }, async t => {
  const gateway = await startWithWorkers(t, SEVERAL)
  const agents = Array.from({ length: 8 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
  for (const agent of agents) await ask(gateway, LONG_INDEX, { agent })
  process.kill(gateway.pid, 'SIGSTOP') // and so it does not read what they log
  for (let i = 0; i < MORE_THAN_A_PIPE; i++) await Promise.all(agents.map(async agent => await ask(gateway, LONG_INDEX, { agent, key: 'a key that is wrong' })))
  process.kill(gateway.pid, 'SIGKILL')
  await allGone(gateway.workers)
  for (const agent of agents) agent.destroy()
})

await t.test('nor does one whose event loop stands still, or that was stopped and goes on', { timeout: 90_000 }, async t => {
  const stuck = await startWithWorkers(t, { mischief: true })
  for (const pid of stuck.workers) process.kill(pid, HANGS)
  await new Promise(resolve => setTimeout(resolve, 300))
  process.kill(stuck.pid, 'SIGKILL')
  await allGone(stuck.workers)

  const stopped = await startWithWorkers(t, SEVERAL)
  for (const pid of stopped.workers) process.kill(pid, 'SIGSTOP')
  process.kill(stopped.pid, 'SIGKILL')
  await stopped.ended
  for (const pid of stopped.workers) process.kill(pid, 'SIGCONT')
  await allGone(stopped.workers)
})

const BOTH = [['one worker', ALONE], ['two workers', SEVERAL]] as const
for (const [name, options] of inShort([BOTH[1]], [...BOTH])) {
  await t.test(`a log that nobody reads keeps no client waiting and ends with the gateway, with ${name}`, { timeout: 90_000 }, async t => {
    const gateway = await startUnread(t, options)
    await logMuch(gateway, MORE_THAN_A_PIPE)
    t.equal((await ask(gateway, LONG_INDEX)).status, 200)
    process.kill(gateway.pid, 'SIGTERM')
    t.equal(await gateway.ended, 0)
    t.equal(gateway.stderr(), '')
  })

  await t.test(`a second signal ends it at once, with ${name}`, { timeout: 90_000 }, async t => {
    const gateway = await startUnread(t, options)
    const workers = options === SEVERAL ? await childrenOf(gateway.pid) : []
    await logMuch(gateway, MORE_THAN_A_PIPE)
    await halfAnUpload(gateway, LONG_TENANT)
    process.kill(gateway.pid, 'SIGTERM')
    await untilTrue(async () => await fetch(`${gateway.adminUrl}/readyz`).then(({ status }) => status === 503))
    process.kill(gateway.pid, 'SIGTERM')
    t.equal(await gateway.ended, 1)
    await allGone(workers)
  })

  await t.test(`what could not be logged is counted, and said when the log is read again, with ${name}`, { timeout: 90_000 }, async t => {
    const gateway = await startUnread(t, options)
    let text = ''
    await logMuch(gateway, MORE_THAN_IS_KEPT)
    const lost = await until(async () => {
      text += gateway.read()
      return linesOf(text.slice(0, text.lastIndexOf('\n') + 1)).find(({ lines }) => lines !== undefined)
    })
    t.match(lost, { level: 'error', msg: /^\d+ lines of log were lost/ })
    await untilTrue(async () => {
      text += gateway.read()
      const log = linesOf(text.slice(0, text.lastIndexOf('\n') + 1))
      const there = log.filter(({ status, category }) => status === 401 || category === 'audit').length
      const missing = log.reduce((sum, { lines }) => sum + Number(lines ?? 0), 0)
      return there + missing === 2 * MORE_THAN_IS_KEPT // each has a line of the audit log too
    })
    t.ok(text.split('\n').slice(0, -1).every(line => /^\{.*\}$/.test(line)), 'no line is torn')
    process.kill(gateway.pid, 'SIGTERM')
    await untilTrue(async () => {
      text += gateway.read()
      return text.includes('shutting down')
    })
    t.equal(await gateway.ended, 0)
  })

  await t.test(`a log whose reader has gone takes nothing with it, with ${name}`, { timeout: 90_000 }, async t => {
    const gateway = await startUnread(t, options)
    gateway.closeReader()
    await logMuch(gateway, MORE_THAN_A_PIPE)
    t.equal((await ask(gateway, LONG_INDEX)).status, 200)
    process.kill(gateway.pid, 'SIGTERM')
    t.equal(await gateway.ended, 0)
  })
}

await t.test('an end waits for no thread that does not come back', { timeout: 90_000 }, async t => {
  await untilTrue(async () => await fetch(`${hanging.adminUrl}/healthz`).then(({ status }) => status === 503), LONG)
  process.kill(hanging.pid, 'SIGTERM')
  t.equal(await hanging.ended, 'SIGKILL', 'it ends, and nobody takes it for a good end')
})
