// How is a running process asked for something? Over the socket by which it holds its
// stateDir (state-dir.ts), which only its user can reach: one word and a line end, and one
// line of JSON back. Who only looks whether somebody is there says nothing, and is told nothing.
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Reread } from './rereading.ts'

/** What is asked, and what the answer is. */
export interface Control {
  reload (): Promise<Reread>
}

export type Asked =
  | { readonly ok: true, readonly reread: Reread }
  | { readonly ok: false, readonly why: 'nobody' | 'starting' | 'silent' }

const RELOAD = 'reload\n'
/** Milliseconds in which who connects has to say what it wants. */
const LONGEST_QUESTION = 5_000
/** Milliseconds that an answer may take; workers have fifteen seconds of them. */
const LONGEST_ANSWER = 30_000

/** Answers one connection. @param control undefined: the process has not started yet */
export function answerControl (socket: Socket, control: Control | undefined): void {
  let asked = ''
  socket.on('error', () => {}) // who asked has gone
  socket.setTimeout(LONGEST_QUESTION, () => { socket.destroy() })
  socket.setEncoding('utf8').on('data', (piece: string) => {
    asked += piece
    if (!RELOAD.startsWith(asked)) return socket.destroy()
    if (asked !== RELOAD) return undefined
    socket.setTimeout(0)
    if (control === undefined) return socket.end('{"starting":true}\n')
    void control.reload().then(reread => { socket.end(`${JSON.stringify(reread)}\n`) })
    return undefined
  })
}

/**
 * Asks the process that holds a stateDir to read everything again.
 * @param path of its socket
 */
export async function askReload (path: string, limit = LONGEST_ANSWER): Promise<Asked> {
  const socket = connect(path)
  try {
    await new Promise<void>((resolve, reject) => { socket.once('connect', resolve).once('error', reject) })
  } catch {
    return { ok: false, why: 'nobody' }
  }
  try {
    socket.setTimeout(limit, () => { socket.destroy(new Error('no answer')) })
    socket.write(RELOAD)
    const answer = JSON.parse(await text(socket)) as Reread | { readonly starting: true }
    return 'starting' in answer ? { ok: false, why: 'starting' } : { ok: true, reread: answer }
  } catch {
    return { ok: false, why: 'silent' }
  }
}
