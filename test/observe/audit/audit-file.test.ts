import { once } from 'node:events'
import { chmod, mkdir, open, readFile, rename, rm, stat, symlink, writeFile, type FileHandle } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { later } from '../../../src/lib/timers.ts'
import { AuditFile, LAST_WAIT, LONGEST_WAIT, MOST_AUDIT_BYTES } from '../../../src/observe/audit/audit-file.ts'
import { openAuditFile } from '../../../src/observe/audit/open-file.ts'
import { manualTimers, settled } from '../../helpers/channels.ts'
import { builtUrl } from '../../helpers/built.ts'
import { testFolder } from '../../helpers/folder.ts'
import { run, temporaryFolder } from '../../helpers/processes.ts'
import { until, untilTrue } from '../../helpers/until.ts'

interface Opened {
  readonly audit: AuditFile
  readonly file: string
  readonly said: string[]
  readonly text: () => Promise<string>
}

async function opened (t: Test, file = join(testFolder(t), 'audit.log'), handle?: FileHandle, more: Partial<ConstructorParameters<typeof AuditFile>[0]> = {}): Promise<Opened> {
  const result = await openAuditFile(file, false)
  if (!result.ok) throw new Error(result.message)
  if (handle !== undefined) await result.opened.handle.close()
  const said: string[] = []
  const log = (fields: object, message: string): void => { said.push(`${JSON.stringify({ ...fields, file: 'F' })} ${message}`) }
  const audit = new AuditFile({ file, opened: handle === undefined ? result.opened : { handle, isCut: false }, log: { error: log, info: log }, lostLine: lines => `${lines} lost\n`, later, ...more })
  return { audit, file, said, text: async () => await readFile(file, 'utf8') }
}

/** A file that does what a test says. */
interface FakeDisk {
  readonly handle: FileHandle
  text: string
  /** The error of each write, or how many bytes it takes. */
  readonly does: (string | number)[]
  syncs: number
  closed: boolean
}

function fakeDisk (): FakeDisk {
  const disk: FakeDisk = {
    text: '',
    does: [],
    syncs: 0,
    closed: false,
    handle: {
      fd: -1,
      write: async (bytes: Buffer, from: number) => {
        const next = disk.does.shift()
        if (typeof next === 'string') throw Object.assign(new Error(next), { code: next })
        const rest = bytes.subarray(from, from + (next ?? bytes.length))
        disk.text += rest.toString()
        return { bytesWritten: rest.length }
      },
      datasync: async () => {
        disk.syncs++
        const next = disk.does.shift()
        if (typeof next === 'string') throw Object.assign(new Error(next), { code: next })
      },
      stat: async () => ({ nlink: 1 }),
      close: async () => { disk.closed = true }
    } as unknown as FileHandle
  }
  return disk
}

await t.test('a file that is made is its owner\'s alone, and one that is there is appended to', async t => {
  const { audit, file, text } = await opened(t)
  t.equal((await stat(file)).mode & 0o777, 0o600)
  await writeFile(file, 'before\n', { flag: 'a' })
  audit.write('one\n')
  audit.write('two\n')
  await audit.close()
  t.equal(await text(), 'before\none\ntwo\n')
  t.equal(audit.lost(), 0)
})

await t.test('those who wait for the disk at once share one sync, and are told after it', async t => {
  const disk = fakeDisk()
  const { audit } = await opened(t, undefined, disk.handle)
  const told = await Promise.all(Array.from({ length: 20 }, async (_, i) => await audit.record(`${i}\n`, 'drop')))
  t.same(new Set(told), new Set([true]))
  t.equal(disk.syncs, 1)
  t.equal(disk.text.split('\n').length, 21)
  audit.write('without\n')
  await audit.close()
  t.equal(disk.syncs, 1)
  t.equal(disk.closed, true)
})

await t.test('after a rename the new file has what follows, and nothing is lost between the two', async t => {
  const { audit, file, text, said } = await opened(t)
  audit.write('one\n')
  await untilTrue(async () => await text() === 'one\n')
  await rename(file, `${file}.1`)
  audit.write('two\n')
  await untilTrue(async () => await readFile(`${file}.1`, 'utf8') === 'one\ntwo\n')
  audit.write('three\n')
  audit.reopen()
  audit.reopen()
  await audit.close()
  t.equal(await readFile(`${file}.1`, 'utf8') + await text(), 'one\ntwo\nthree\n')
  t.match(said, ['{"file":"F"} the audit log was opened again'])
})

await t.test('a line that was cut takes no other one with it: neither after a start nor after SIGHUP', async t => {
  const file = join(testFolder(t), 'audit.log')
  await writeFile(file, '{"cut')
  const { audit, text } = await opened(t, file)
  audit.write('one\n')
  await untilTrue(async () => await text() === '{"cut\none\n')
  await writeFile(file, '{"cut too', { flag: 'a' })
  audit.reopen()
  audit.write('two\n')
  await audit.close()
  t.equal(await text(), '{"cut\none\n{"cut too\ntwo\n')
})

await t.test('who waits for the disk is not told of a file that was removed: it is made anew, or the line is not on the disk', async t => {
  const timers = manualTimers()
  const folder = join(testFolder(t), 'log')
  await mkdir(folder)
  const { audit, file, text } = await opened(t, join(folder, 'audit.log'), undefined, { later: timers.later })
  t.equal(await audit.record('one\n', 'drop'), true)
  await rm(file)
  t.equal(await audit.record('two\n', 'drop'), true)
  t.equal(await text(), 'two\n')
  await rm(folder, { recursive: true })
  t.same(await Promise.all([audit.record('three\n', 'drop'), audit.record('four\n', 'keep')]), [false, false])
  await untilTrue(() => timers.waiting().length === 1)
  audit.write('meanwhile\n')
  timers.fire()
  await untilTrue(() => timers.waiting().length === 1)
  await mkdir(folder)
  timers.fire()
  await untilTrue(async () => await readFile(file, 'utf8').catch(() => '') === 'four\nmeanwhile\n')
  t.equal(await audit.record('five\n', 'drop'), true)
  t.equal(await text(), 'four\nmeanwhile\nfive\n')
  await audit.close()
  const disk = fakeDisk()
  Object.assign(disk.handle, { stat: async () => { throw Object.assign(new Error('ESTALE'), { code: 'ESTALE' }) } })
  const stale = await opened(t, undefined, disk.handle)
  t.equal(await stale.audit.record('one\n', 'drop'), true)
  t.equal(await stale.text(), 'one\n')
  await stale.audit.close()
})

await t.test('where the new file cannot be opened the old one is written until it can', async t => {
  const timers = manualTimers()
  const folder = join(testFolder(t), 'log')
  await mkdir(folder)
  const { audit, file, said } = await opened(t, join(folder, 'audit.log'), undefined, { later: timers.later })
  await rename(folder, `${folder}.old`)
  const old = join(`${folder}.old`, 'audit.log')
  audit.reopen()
  await untilTrue(() => timers.waiting().length === 1)
  audit.write('one\n')
  timers.fire()
  await untilTrue(async () => await readFile(old, 'utf8') === 'one\n')
  await untilTrue(() => timers.waiting().length === 1)
  await mkdir(folder)
  audit.write('two\n')
  timers.fire()
  await untilTrue(async () => await readFile(file, 'utf8').catch(() => '') === 'two\n')
  await audit.close()
  t.same(said.map(each => each.replace(/:.*/s, '')), ['{"file"', '{"file"', '{"file"'].map(each => each))
  t.match(said[0], '"code":"ENOENT"')
  t.match(said[2], 'is written again')
})

await t.test('a short write goes on with the next byte, and a slow reader is no failure', async t => {
  const disk = fakeDisk()
  const { audit, said } = await opened(t, undefined, disk.handle)
  disk.does.push(2, 1, 'EAGAIN')
  audit.write('one\n')
  audit.write('two\n')
  await untilTrue(() => disk.text === 'one\ntwo\n')
  await audit.close()
  t.same(said, [])
})

await t.test('a full disk is said once, tells who waits, and what nobody waits for follows later', async t => {
  const disk = fakeDisk()
  const { audit, said } = await opened(t, undefined, disk.handle)
  disk.does.push(5, 'ENOSPC', 'ENOSPC')
  audit.write('one\n')
  audit.write('two\n')
  const [intent, outcome] = [audit.record('intent\n', 'drop'), audit.record('outcome\n', 'keep')]
  t.same([await intent, await outcome], [false, false])
  await untilTrue(() => disk.text === 'one\ntwo\noutcome\n')
  await untilTrue(() => said.length === 2)
  t.match(said, [/"code":"ENOSPC","lost":0} the audit log cannot be written/, /"lost":0} the audit log is written again/])
  await audit.close()
})

await t.test('a disk that does not say that it has the line has not', async t => {
  const disk = fakeDisk()
  const { audit, said } = await opened(t, undefined, disk.handle)
  disk.does.push(1_000, 'EIO')
  t.equal(await audit.record('intent\n', 'drop'), false)
  await untilTrue(() => said.length === 2)
  t.match(said[0], '"code":"EIO"')
  await audit.close()
})

await t.test('who waits too long for a disk that hangs is told no, and no longer waited for', async t => {
  const timers = manualTimers()
  const disk = fakeDisk()
  let goOn = (): void => {}
  const hangs = new Promise<void>(resolve => { goOn = resolve })
  const { write } = disk.handle as unknown as { write: (bytes: Buffer, from: number) => Promise<{ bytesWritten: number }> }
  Object.assign(disk.handle, { write: async (bytes: Buffer, from: number) => { await hangs; return await write(bytes, from) } })
  const { audit } = await opened(t, undefined, disk.handle, { later: timers.later })
  const first = audit.record('first\n', 'drop')
  await settled()
  const [second, third] = [audit.record('second\n', 'drop'), audit.record('third\n', 'keep')]
  t.same(timers.waiting(), [LONGEST_WAIT, LONGEST_WAIT, LONGEST_WAIT])
  timers.fire()
  t.same([await first, await second, await third], [false, false, false])
  goOn()
  await audit.close()
  t.equal(disk.text, 'first\nthird\n', 'what was being written, and what is of use also later')
})

await t.test('beyond the bound lines are counted, and a line says so where they are missing', async t => {
  const disk = fakeDisk()
  const timers = manualTimers()
  const { audit, said } = await opened(t, undefined, disk.handle, { later: timers.later })
  const long = `${'x'.repeat(1024 * 1024 - 1)}\n`
  disk.does.push('ENOSPC')
  for (let i = 0; i < MOST_AUDIT_BYTES / long.length; i++) audit.write(long)
  audit.write('lost\n')
  t.equal(audit.lost(), 1)
  await untilTrue(() => timers.waiting().length === 1)
  audit.write('lost too\n')
  t.equal(await audit.record('intent\n', 'drop'), false)
  t.equal(audit.lost(), 2, 'an intent of which nothing comes is no loss')
  timers.fire()
  await untilTrue(() => disk.text.endsWith('2 lost\n'))
  audit.write('kept\n')
  await untilTrue(() => disk.text.endsWith('\n2 lost\nkept\n'))
  await untilTrue(() => said.length === 2)
  t.match(said, [/"code":"no room","lost":1}/, /"lost":2} the audit log is written again/])
  audit.countLost(0)
  audit.countLost(3)
  audit.write('behind\n')
  await audit.close()
  t.match(disk.text, /3 lost\nbehind\n$/, 'what was lost elsewhere is said before what comes next')
})

await t.test('an end that does not wait writes what waits, and one that cannot says nothing', async t => {
  const { audit, file } = await opened(t)
  audit.write('one\n')
  audit.writeLast()
  audit.writeLast()
  t.equal(await readFile(file, 'utf8'), 'one\n')
  await audit.close()
  audit.write('two\n')
  audit.writeLast() // the file is closed
})

await t.test('an end waits for the disk no longer than it may', async t => {
  const disk = fakeDisk()
  const { audit } = await opened(t, undefined, disk.handle, { later: manualTimers().later })
  disk.does.push('ENOSPC')
  audit.write('one\n')
  await audit.close()
  t.equal(disk.text, '')
})

await t.test('a pipe takes lines when somebody reads it, and is no place for what has to be on a disk', async t => {
  const pipe = join(await temporaryFolder(t), 'pipe')
  await run('mkfifo', [pipe])
  t.match(await openAuditFile(pipe, false), { ok: false, message: /nobody reads/ })
  const reader = await open(pipe, 'r+')
  t.teardown(async () => { await reader.close() })
  t.match(await openAuditFile(pipe, true), { ok: false, message: /audit.required needs a file on a disk/ })
  const { audit } = await opened(t, pipe)
  audit.write('one\n')
  await audit.close()
  t.equal((await reader.read(Buffer.alloc(4))).buffer.toString(), 'one\n')
})

await t.test('what is no place for lines is said with what to do', async t => {
  const folder = testFolder(t)
  const message = async (file: string): Promise<string> => {
    const result = await openAuditFile(file, false)
    return result.ok ? 'opened' : result.message
  }
  t.match(await message(join(folder, 'missing', 'a')), 'its folder is missing')
  t.match(await message(folder), 'it is a folder')
  await symlink(join(folder, 'target'), join(folder, 'link'))
  t.match(await message(join(folder, 'link')), 'it is a link')
  await rm(join(folder, 'target'), { force: true })
  const short = await temporaryFolder(t)
  const server = createServer().listen(join(short, 'socket'))
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  t.match(await message(join(short, 'socket')), 'or a socket')
  await writeFile(join(folder, 'file'), '')
  t.match(await message(join(folder, 'file', 'a')), 'ENOTDIR')
  await chmod(folder, 0o700)
  t.ok(await until(() => true))
})

await t.test('a disk that takes longer than the end waits is not waited for', async t => {
  const disk = fakeDisk()
  let goOn = (): void => {}
  disk.handle.write = (async (bytes: Buffer) => {
    await new Promise<void>(resolve => { goOn = resolve })
    return { bytesWritten: bytes.length }
  }) as unknown as FileHandle['write']
  const { audit } = await opened(t, undefined, disk.handle)
  audit.write('one\n')
  t.equal(await audit.close(), 'one\n', 'nobody knows whether it has that line')
  t.equal(disk.closed, false)
  goOn()
  await new Promise(resolve => { setTimeout(resolve, 20) })
  audit.write('two\n')
  t.equal(disk.closed, false, 'nothing more is done')
})

await t.test('a line of which the disk says just as the end gives up that it has no room is handed back', async t => {
  const disk = fakeDisk()
  disk.handle.write = (async () => {
    await new Promise(resolve => { setTimeout(resolve, LAST_WAIT + 100) })
    throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
  }) as unknown as FileHandle['write']
  const { audit } = await opened(t, undefined, disk.handle)
  audit.write('one\n')
  t.equal(await audit.close(), 'one\n')
  t.equal(disk.closed, true)
})

await t.test('where nobody can look at the end of a file, lines are appended to it all the same', async t => {
  const folder = testFolder(t)
  const file = join(folder, 'audit.log')
  await writeFile(file, 'one\n')
  const module = await t.mockImport<typeof import('../../../src/observe/audit/open-file.ts')>(builtUrl('observe/audit/open-file.ts'), {
    'node:fs/promises': {
      open: async (name: string, flags: number, mode?: number) => {
        if (mode === undefined) throw Object.assign(new Error('EACCES'), { code: 'EACCES' })
        return await open(name, flags, mode)
      }
    }
  })
  const { handle, isCut } = await module.openToAppend(file)
  await handle.close()
  t.equal(isCut, false)
})

await t.test('another file has what waits, the one before what was written, and is closed after it', async t => {
  const disk = fakeDisk()
  const { audit, said } = await opened(t, undefined, disk.handle)
  audit.write('one\n')
  await untilTrue(() => disk.text === 'one\n')
  disk.does.push(3, 'ENOSPC')
  audit.write('two\n')
  audit.write('three\n')
  await untilTrue(() => said.length === 1)
  const [passed, other] = [fakeDisk(), fakeDisk()]
  audit.moveTo('/passed/over', { handle: passed.handle, isCut: false })
  audit.moveTo('/other', { handle: other.handle, isCut: true })
  t.equal(await audit.record('four\n', 'drop'), true)
  t.equal(other.text, '\ntwo\nthree\nfour\n', 'behind the end of what stands in it')
  t.equal(disk.text, 'one\ntwo', 'what the full disk has of a line is no line')
  t.same([disk.closed, passed.closed, passed.text], [true, true, ''])
  await untilTrue(() => said.length === 3)
  t.match(said.slice(1), ['the audit log goes on in another file', 'the audit log is written again'])
  const running = audit.record('five\n', 'keep')
  const last = fakeDisk()
  audit.moveTo('/last', { handle: last.handle, isCut: false })
  t.equal(await running, true)
  await untilTrue(() => other.closed)
  audit.write('six\n')
  t.equal(await audit.close(), '')
  t.equal(other.text + last.text, '\ntwo\nthree\nfour\nfive\nsix\n')
})

await t.test('what a file does not take before it is closed is handed back, as whole lines, and who waits for it is told', async t => {
  const disk = fakeDisk()
  const { audit, said } = await opened(t, undefined, disk.handle, { later: manualTimers().later })
  disk.does.push(2, 'ENOSPC')
  audit.write('one\n')
  await untilTrue(() => said.length === 1)
  audit.write('two\n')
  const waiting = [audit.record('intent\n', 'drop'), audit.record('outcome\n', 'keep')]
  audit.countLost(3)
  const left = await audit.close()
  t.same(await Promise.all(waiting), [false, false])
  t.equal(left, 'one\ntwo\noutcome\n3 lost\n')
  t.equal(disk.closed, true)
})

await t.test('a file that was to take the place of one that hangs is closed with it', async t => {
  const disk = fakeDisk()
  let endWrite = (): void => {}
  Object.assign(disk.handle, { write: async () => { await new Promise<void>(resolve => { endWrite = resolve }); return { bytesWritten: 4 } } })
  const { audit } = await opened(t, undefined, disk.handle)
  audit.write('one\n')
  await settled()
  const next = fakeDisk()
  audit.moveTo('/next', { handle: next.handle, isCut: false })
  audit.write('two\n')
  t.equal(await audit.close(), 'one\ntwo\n', 'what becomes of the first nobody knows')
  t.equal(next.closed, true)
  endWrite()
})
