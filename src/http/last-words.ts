// How does a connection end so that the other side still reads why, and this one still
// sees when it has gone? A socket that is closed with unread bytes is reset, and a reset
// may overtake the answer (RFC 9112 section 9.6); one that is not read hides its end.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** What is read and thrown away of what still comes, bytes; then the sender is left waiting. */
const MOST_DISCARDED = 1024 * 1024
/** The same while an answer is under way; then the connection ends without it. */
const MOST_IGNORED = 32 * MOST_DISCARDED
/** Milliseconds that the other side has to read and go, */
const LAST_WORDS_PATIENCE = 2_000
/** and when it sends so much that it is not read any more: that it has gone is not seen then. */
const PATIENCE_UNREAD = 750

/** The answer that a connection is writing or will write next; undefined while nothing was asked. */
export function answerOf (socket: Socket): ServerResponse | undefined {
  // Where Node has it; it asks the same before its own answers.
  return (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined
}

/** Says the last words and closes; nothing that still comes is taken for a request. */
export function closeWith (socket: Socket, words: string): void {
  const destroy = (): void => { socket.destroy() }
  const timers = [setTimeout(destroy, LAST_WORDS_PATIENCE)]
  socket.end(words)
  discard(socket, MOST_DISCARDED, () => {
    socket.pause()
    timers.push(setTimeout(destroy, PATIENCE_UNREAD))
  })
  socket.once('end', destroy)
  socket.once('close', () => { for (const timer of timers) clearTimeout(timer) })
}

/** Lets Node close in this way after the answer that it is about to send with `Connection: close`. */
export function closeGently (socket: Socket): void {
  socket.destroySoon = () => { closeWith(socket, '') }
}

/**
 * Takes no further request from an HTTP connection whose last answer is under way, and
 * lets it close gently after that answer. Its end is seen meanwhile.
 */
export function hearNoMore (socket: Socket): void {
  discard(socket, MOST_IGNORED, () => { socket.destroy() })
  // As Node does at such an end, if its parser has no objection.
  socket.once('end', () => { socket.end() })
  closeGently(socket)
}

/** Closes the connection after this answer, and says so to the client if its head is not on its way yet. */
export function makeLast (answer: ServerResponse, socket: Socket): void {
  answer.shouldKeepAlive = false
  if (answer.headersSent) answer.once('finish', () => { socket.destroySoon() })
}

/** The same; and whatever stands behind the request takes nothing from its answer. */
export function endWith (answer: ServerResponse, socket: Socket): void {
  makeLast(answer, socket)
  hearNoMore(socket)
}

/** True when nothing that comes over it is a request any more, nor a fault in one. */
export function isDeaf (socket: Socket): boolean {
  return deaf.has(socket)
}

const deaf = new WeakSet<Socket>()

/** What Node keeps on the socket of an HTTP connection (lib/_http_server.js, connectionListenerInternal). */
interface HttpSocket extends Socket {
  parser?: { onIncoming: ((request: { upgrade: boolean }) => number) | null } | null
  /** Not read, because too much waits to be written. */
  _paused?: boolean
}

/** Reads and throws away what comes, also what has come in the packet that is being parsed now. */
function discard (socket: HttpSocket, most: number, tooMuch: () => void): void {
  deaf.add(socket)
  if (socket.parser != null) socket.parser.onIncoming = stopParsing
  let discarded = 0
  socket.removeAllListeners('data') // the parser's
  socket.on('data', (chunk: Buffer) => {
    discarded += chunk.length
    if (discarded > most) tooMuch()
  })
  // In this turn the parser may still pause it, with a body that nobody reads.
  process.nextTick(() => {
    socket._paused = false
    socket.resume()
    socket.push('') // the stream thinks that it reads, which the parser has stopped behind its back
  })
}

/** For Node's parser: 2 is what it stops after, as after an upgrade (src/node_http_parser.cc, on_headers_complete). */
function stopParsing (request: { upgrade: boolean }): number {
  request.upgrade = false
  return 2
}
