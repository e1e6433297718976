// The end of a process that serves: each case is a process of its own, from dist/.
import t from 'tap'
import { run } from '../helpers/processes.ts'

interface Case {
  readonly name: string
  /** What stop() does. */
  readonly stop?: string
  /** What happens. */
  readonly then: string
  readonly code: number
  readonly stdout: string
  readonly stderr: RegExp
}

const CASES: readonly Case[] = [
  { name: 'a signal', then: 'process.kill(process.pid, "SIGTERM")', code: 0, stdout: 'stopped\n', stderr: /^$/ },
  { name: 'SIGINT', then: 'process.kill(process.pid, "SIGINT")', code: 0, stdout: 'stopped\n', stderr: /^$/ },
  { name: 'an exception that nobody caught', then: 'throw Object.assign(new Error("boom"), { data: "hush" })', code: 1, stdout: 'stopped\n', stderr: /^chartgate: an error that nobody expected, and so it ends: Error: boom\n +at / },
  { name: 'a promise that nobody looked at', then: 'Promise.reject(new Error("boom"))', code: 1, stdout: 'stopped\n', stderr: /^chartgate: an error that nobody expected, and so it ends: Error: boom\n +at / },
  { name: 'something thrown that is no error', then: 'throw "boom"', code: 1, stdout: 'stopped\n', stderr: /^chartgate: an error that nobody expected, and so it ends: boom\n$/ },
  { name: 'an end that fails', stop: 'throw new Error("no end")', then: 'process.kill(process.pid, "SIGTERM")', code: 1, stdout: '', stderr: /^chartgate: it could not end well: Error: no end\n +at / },
  { name: 'an end that did not end well', stop: 'return false', then: 'process.kill(process.pid, "SIGTERM")', code: 1, stdout: '', stderr: /^$/ },
  { name: 'an end that takes too long', stop: 'await new Promise(() => {})', then: 'process.kill(process.pid, "SIGTERM")', code: 1, stdout: 'cut off\n', stderr: /^$/ }
]

for (const { name, stop = 'console.log("stopped"); return true', then, code, stdout, stderr } of CASES) {
  await t.test(`${name} ends the process, and what was wrong is said`, async t => {
    const script = `import { untilSignal } from './dist/src/serve/until-signal.js'
      import { createThreads } from './dist/src/lib/threads.js'
      import { every } from './dist/src/lib/timers.js'
      setInterval(() => {}, 1000)
      setTimeout(() => { ${then} }, 10)
      await untilSignal({ stop: async () => { ${stop} }, logCutOff () { console.log('cut off') }, reread () {}, threads: createThreads(every) }, { limit: 500 })`
    const ended = await run(process.execPath, ['--input-type=module', '-e', script])
    t.strictSame([ended.code, ended.stdout], [code, stdout])
    t.match(ended.stderr, stderr)
    t.notMatch(ended.stderr, 'hush')
  })
}
