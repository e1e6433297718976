import t from 'tap'
import { listenMistake, startMistake } from '../../src/serve/start-mistakes.ts'

const system = (code: string, syscall = 'x'): Error => Object.assign(new Error(`${code}: what the system says`), { code, syscall })

await t.test('what hinders a listener names the key, and what to do', t => {
  const cases: [code: string, expected: string][] = [
    ['EADDRINUSE', 'admin.port 80 is in use by another program: stop it, or choose another port'],
    ['EACCES', 'admin.port 80 may not be listened on by this user (ports below 1024 need CAP_NET_BIND_SERVICE): choose another port'],
    ['EADDRNOTAVAIL', 'admin.host h is not an address of this machine: choose one that is, or 0.0.0.0 for all of them'],
    ['ENOTFOUND', 'admin.host h is not a name that this machine can look up: choose an address of this machine'],
    ['EAI_AGAIN', 'admin.host h is not a name that this machine can look up: choose an address of this machine'],
    ['EAFNOSUPPORT', 'admin h port 80 cannot be listened on: EAFNOSUPPORT: what the system says']
  ]
  for (const [code, expected] of cases) t.equal(listenMistake(system(code), 'admin', { host: 'h', port: 80 }), expected, code)
  t.end()
})

await t.test('what the file system says is about stateDir, and anything else speaks for itself', async t => {
  for (const code of ['EACCES', 'EPERM', 'ENOSPC', 'EIO', 'ENOENT']) t.equal(await startMistake(system(code), '/s'), `stateDir /s cannot be written: ${code}: what the system says`)
  for (const code of ['EEXIST', 'ENOTDIR']) t.equal(await startMistake(system(code), '/s'), `stateDir /s cannot be used, there is a file where a folder must be: ${code}: what the system says`)
  t.equal(await startMistake(Object.assign(system('EROFS'), { path: '/s/run' }), '/s'), 'stateDir /s cannot be written, because its disk is mounted read-only (/s/run): mount one there that can be written, or choose another stateDir')
  t.equal(await startMistake(new Error('a sentence'), '/s'), 'a sentence')
})
