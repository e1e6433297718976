// How is a connection closed so that the other side still reads why? A socket that is
// closed with unread bytes is reset, and a reset may overtake the answer (RFC 9112
// section 9.6). Asked wherever a request is refused before all of it was read.
import type { Socket } from 'node:net'

/** What is read and thrown away of what still comes, bytes; then the sender is left waiting. */
const MOST_DISCARDED = 1024 * 1024
/** Milliseconds that the other side has to read and go. */
const PATIENCE = 2_000

/** Says the last words and closes; nothing that still comes is taken for a request. */
export function closeWith (socket: Socket, words: string): void {
  socket.end(words)
  let discarded = 0
  socket.removeAllListeners('data') // the HTTP parser's
  socket.on('data', (chunk: Buffer) => {
    discarded += chunk.length
    if (discarded > MOST_DISCARDED) socket.pause()
  })
  const timer = setTimeout(() => { socket.destroy() }, PATIENCE)
  socket.once('end', () => { socket.destroy() })
  socket.once('close', () => { clearTimeout(timer) })
  socket.resume()
}

/** Lets Node close in this way after the answer that it is about to send with `Connection: close`. */
export function closeGently (socket: Socket): void {
  socket.destroySoon = () => { closeWith(socket, '') }
}
