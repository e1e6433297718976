// What hindered a start, as one sentence for the person who can put it right: which key of
// the configuration it is about, what the system said, what to do.
import { isReadOnly } from '../lib/read-only.ts'

export interface Address { readonly host: string, readonly port: number }

export type ListenKey = 'listen' | 'admin' | 'authz.listen'

/** A listener that could not be opened. @param key the part of the configuration that has its host and port */
export function listenMistake (error: unknown, key: ListenKey, { host, port }: Address): string {
  const { code, message } = error as NodeJS.ErrnoException
  switch (code) {
    case 'EADDRINUSE': return `${key}.port ${port} is in use by another program: stop it, or choose another port`
    case 'EACCES':
      return `${key}.port ${port} may not be listened on by this user ` +
        '(ports below 1024 need CAP_NET_BIND_SERVICE): choose another port'
    case 'EADDRNOTAVAIL':
      return `${key}.host ${host} is not an address of this machine: ` +
        'choose one that is, or 0.0.0.0 for all of them'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${key}.host ${host} is not a name that this machine can look up: choose an address of this machine`
    default: return `${key} ${host} port ${port} cannot be listened on: ${message}`
  }
}

/** Anything else: what the file system says is about something below stateDir. */
export async function startMistake (error: unknown, stateDir: string): Promise<string> {
  const { code, syscall, message, path } = error as NodeJS.ErrnoException
  if (syscall === undefined) return message
  if (await isReadOnly(error)) {
    return `stateDir ${stateDir} cannot be written, because its disk is mounted read-only (${path}): ` +
      'mount one there that can be written, or choose another stateDir'
  }
  return code === 'EEXIST' || code === 'ENOTDIR'
    ? `stateDir ${stateDir} cannot be used, there is a file where a folder must be: ${message}`
    : `stateDir ${stateDir} cannot be written: ${message}`
}
