// Whose is stateDir? Keys, spool and charts of one gateway lie there, and a second one
// would empty the spool under the first one's feet. Who holds the socket `run/lock` has
// it, and is asked there (control.ts); a socket that a crash left behind answers nobody.
import { chmod, mkdir, rename, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join, relative } from 'node:path'
import { answerControl, type Control } from './control.ts'

export interface StateDir {
  /** From now on whoever may enter it can ask for this. */
  readonly obey: (control: Control) => void
  /** Lets the next one have it. */
  readonly release: () => Promise<void>
}

export type Claim =
  | { readonly ok: true } & StateDir
  | { readonly ok: false, readonly message: string }

// sun_path of a Unix socket address holds 108 bytes, one of them the final zero (unix(7)).
const LONGEST_SOCKET_PATH = 107

/**
 * Makes the folder when it is missing, and claims it for this process.
 * @throws what the file system says
 */
export async function claimStateDir (stateDir: string): Promise<Claim> {
  const folder = join(stateDir, 'run')
  // Only this user can enter it: whoever reaches the repository's socket asks it past the gateway.
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  const path = socketPath(stateDir, 'lock')
  if (path === undefined) {
    return {
      ok: false,
      message: `stateDir ${stateDir} is too long for a Unix socket below it ` +
        `(at most ${LONGEST_SOCKET_PATH} bytes): choose a shorter one`
    }
  }
  let obeyed: Control | undefined
  const sockets = new Set<Socket>()
  const answer = (socket: Socket): void => {
    sockets.add(socket.once('close', () => { sockets.delete(socket) }))
    answerControl(socket, obeyed)
  }
  const lock = await listenAt(path, answer) ?? (await removeDead(path) ? await listenAt(path, answer) : undefined)
  if (lock === undefined) {
    return {
      ok: false,
      message: `stateDir ${stateDir} is in use by another chartgate that runs: ` +
        'stop it, or choose another stateDir'
    }
  }
  return {
    ok: true,
    obey (control) { obeyed = control },
    async release () {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => { lock.close(resolve) })
    }
  }
}

/** Where the process that has a stateDir is asked; undefined when it is too long for anybody to have it. */
export function controlSocket (stateDir: string): string | undefined {
  return socketPath(stateDir, 'lock')
}

/** A free path for the repository's socket, in a stateDir that this process claimed. */
export async function repositorySocket (stateDir: string): Promise<string> {
  const path = socketPath(stateDir, 'repo') as string // as long as the lock's
  await rm(path, { force: true })
  return path
}

/** The shortest way to a socket: a deep folder is often near the one that we stand in. */
function socketPath (stateDir: string, name: 'lock' | 'repo'): string | undefined {
  const absolute = join(stateDir, 'run', name)
  return [relative(process.cwd(), absolute), absolute].find(each => Buffer.byteLength(each) <= LONGEST_SOCKET_PATH)
}

/** Listens there; undefined when something lies at the path. */
async function listenAt (path: string, answer: (socket: Socket) => void): Promise<Server | undefined> {
  return await new Promise((resolve, reject) => {
    const server = createServer(answer)
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined); else reject(error)
    })
    server.listen(path, () => { resolve(server) })
  })
}

/**
 * Removes a socket that nobody listens on; false when somebody does. It is moved away
 * first and asked once more there, because another starter may have put a live one in
 * its place in the meantime.
 */
async function removeDead (path: string): Promise<boolean> {
  if (await answers(path)) return false
  const aside = `${path}.${process.pid}`
  await rename(path, aside)
  if (await answers(aside)) {
    await rename(aside, path)
    return false
  }
  await rm(aside, { force: true })
  return true
}

async function answers (path: string): Promise<boolean> {
  return await new Promise(resolve => {
    const socket = connect(path)
    socket.once('connect', () => { socket.destroy(); resolve(true) })
    socket.once('error', () => { resolve(false) })
  })
}
