// When are two names of certificates the same? When their keys are. A kind stands before
// each, so that a name of one kind is never one of another.

/** @param name as distinguished-name.ts has it */
export function keyOfSubject (name: string): string {
  return `subject:${name}`
}

/** Names of hosts have no case (RFC 4343); a wildcard is a name like any other. */
export function keyOfDns (name: string): string {
  return `dns:${name.toLowerCase()}`
}

export function keyOfEmail (address: string): string {
  return `email:${address}`
}

export function keyOfUri (uri: string): string {
  return `uri:${uri}`
}
