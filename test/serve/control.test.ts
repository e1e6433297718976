// Asking the process that has a stateDir, over the socket that it holds it with.
import { connect, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { answerControl, askReload, type Control } from '../../src/serve/control.ts'
import { claimStateDir, controlSocket } from '../../src/serve/state-dir.ts'
import { temporaryFolder } from '../helpers/processes.ts'

const REREAD = { changed: ['policy'], mistakes: [], later: [], last: { time: 1, changed: ['policy'] }, silent: [] }
const CONTROL: Control = { reload: async () => REREAD }

await t.test('who has the stateDir says what a reload did, from when it has started', async t => {
  const dir = await temporaryFolder(t)
  const path = controlSocket(dir) as string
  t.same(await askReload(path), { ok: false, why: 'nobody' })
  const claim = await claimStateDir(dir)
  if (!claim.ok) throw new Error(claim.message)
  t.same(await askReload(path), { ok: false, why: 'starting' })
  claim.obey(CONTROL)
  t.same(await askReload(path), { ok: true, reread: REREAD })
  t.match(await claimStateDir(dir), { ok: false, message: /is in use by another chartgate/ }, 'who only looks changes nothing')
  const idle = connect(path)
  await once(idle, 'connect')
  await claim.release()
  await once(idle, 'close')
  t.same(await askReload(path), { ok: false, why: 'nobody' }, 'and nobody who is connected holds up its end')
})

/** A server with one way to answer. */
async function serve (t: Test, answer: (socket: Socket) => void): Promise<string> {
  const path = join(await temporaryFolder(t), 's')
  const sockets = new Set<Socket>()
  const server = createServer(socket => { sockets.add(socket); answer(socket) })
  server.listen(path)
  await once(server, 'listening')
  t.teardown(() => { for (const each of sockets) each.destroy(); server.close() })
  return path
}

await t.test('anything but the one word is told nothing, also in pieces', async t => {
  const path = await serve(t, socket => { answerControl(socket, CONTROL) })
  for (const word of ['stop\n', 'reload\nreload\n', '\n']) {
    const socket = connect(path)
    socket.write(word)
    t.equal(await text(socket).catch(() => ''), '', JSON.stringify(word))
  }
  const inPieces = await serve(t, socket => {
    answerControl(socket, CONTROL)
    socket.emit('data', 'rel')
  })
  const socket = connect(inPieces)
  socket.write('oad\n')
  t.match(JSON.parse(await text(socket)), REREAD)
})

await t.test('no answer, or none that makes sense, is said', async t => {
  t.same(await askReload(await serve(t, () => {}), 50), { ok: false, why: 'silent' })
  t.same(await askReload(await serve(t, socket => { socket.end('no JSON') })), { ok: false, why: 'silent' })
})

await t.test('who connects and says nothing is let go after a while', async t => {
  const path = await serve(t, socket => {
    answerControl(socket, CONTROL)
    socket.emit('timeout')
  })
  const socket = connect(path)
  t.equal(await text(socket).catch(() => ''), '')
})
