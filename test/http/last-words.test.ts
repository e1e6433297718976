import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { closeGently, closeWith } from '../../src/http/last-words.ts'

const MIB = 1024 * 1024

/** Both ends of a connection, and what the client reads. */
async function pair (t: Test): Promise<{ server: Socket, client: Socket, text: () => string }> {
  const listener = createServer({ allowHalfOpen: true })
  await new Promise<void>(resolve => { listener.listen(0, '127.0.0.1', resolve) })
  const client = connect({ port: (listener.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  const [server] = await once(listener, 'connection') as [Socket]
  let text = ''
  client.setEncoding('utf8').on('data', (chunk: string) => { text += chunk }).on('error', () => {})
  t.teardown(() => { client.destroy(); server.destroy(); listener.close() })
  return { server, client, text: () => text }
}

await t.test('the last words are read, and a client that goes then is let go at once', async t => {
  for (const close of [(socket: Socket) => { closeWith(socket, 'why') }, (socket: Socket) => { closeGently(socket); socket.write('why'); socket.destroySoon() }]) {
    const { server, client, text } = await pair(t)
    const parsed: string[] = []
    server.on('data', chunk => { parsed.push(chunk.toString()) })
    close(server)
    client.write('another request')
    await once(client, 'end')
    t.equal(text(), 'why')
    client.end()
    await once(server, 'close')
    t.same(parsed, [], 'nobody reads what came after them')
  }
})

await t.test('a client that goes on sending is read up to a limit, and left in the end', async t => {
  const { server, client, text } = await pair(t)
  closeWith(server, 'why')
  client.write(Buffer.alloc(50 * MIB))
  await once(server, 'close')
  t.equal(text(), 'why')
  t.ok(server.bytesRead < 2 * MIB, `${server.bytesRead} bytes were read`)
})
