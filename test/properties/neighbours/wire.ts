// Connections of clients that do as they like: what is sent and read, and how it ends, is
// up to an action. All that one opens is known here, so that an end is an end.
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from './random.ts'

/** How a connection ends; `stays` leaves that to the end of the round. */
export const ENDINGS = ['close', 'reset', 'half-close', 'stays'] as const
export type Ending = typeof ENDINGS[number]

/** How much of what comes is read; `drips` takes a piece every tenth of a second. */
export const READINGS = ['all', 'nothing', 'drips'] as const
export type Reading = typeof READINGS[number]

export interface LineOptions {
  /** Default: the client's own. */
  readonly from?: string
  /** Default: all. */
  readonly reading?: Reading
}

export interface Line {
  send (bytes: string | Buffer): void
  /** Resolves when so many bytes have come, or after the time, or when the connection has gone. */
  received (bytes: number, ms: number): Promise<void>
  end (how: Ending): void
}

export interface Wire {
  open (options?: LineOptions): Line
  /** Waits, but not beyond the end of the round. */
  pause (ms: number): Promise<void>
  /** Ends every connection that is left, each in one of the ways that are left. */
  endAll (): void
}

/** So many connections may stay at once; then the oldest one goes. */
const MOST_STAY = 60
const DRIP = 100

/** @param ending aborts at the end of the round */
export function createWire (port: number, address: string, random: Random, ending: AbortSignal): Wire {
  const open = new Set<Socket>()
  const staying: Socket[] = []

  function openLine ({ from = address, reading = 'all' }: LineOptions = {}): Line {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true, allowHalfOpen: true })
    open.add(socket)
    socket.on('error', () => {}) // what a gateway does to such a client is its own business
    socket.once('close', () => { open.delete(socket) })
    socket.once('end', () => { if (reading === 'all') socket.end() })
    const counter = read(socket, reading)
    return {
      send (bytes) { if (!socket.destroyed && socket.writable) socket.write(bytes) },
      async received (bytes, ms) {
        const end = performance.now() + ms
        while (counter() < bytes && !socket.destroyed && !ending.aborted && performance.now() < end) await pause(10)
      },
      end (how) { endOne(socket, how) }
    }
  }

  function endOne (socket: Socket, how: Ending): void {
    switch (how) {
      case 'close':
        socket.destroy()
        return
      case 'reset':
        socket.resetAndDestroy()
        return
      case 'half-close':
        socket.end()
        stay(socket)
        return
      case 'stays':
        stay(socket)
    }
  }

  function stay (socket: Socket): void {
    staying.push(socket)
    if (staying.length > MOST_STAY) staying.shift()?.destroy()
  }

  async function pause (ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: ending }).catch(() => {})
  }

  return {
    open: openLine,
    pause,
    endAll () { for (const socket of open) if (random.percent(50)) socket.resetAndDestroy(); else socket.destroy() }
  }
}

/** Reads as it was said; how many bytes have come. */
function read (socket: Socket, reading: Reading): () => number {
  let count = 0
  if (reading === 'nothing') return () => socket.bytesRead
  socket.on('data', chunk => {
    count += chunk.length
    if (reading === 'all') return
    socket.pause()
    setTimeout(() => { socket.resume() }, DRIP).unref()
  })
  return () => count
}
