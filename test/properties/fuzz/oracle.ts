// Is there anything wrong with what came back, or with what the upstream saw meanwhile?
import type { Exchange } from './line.ts'
import type { Witness } from './witness.ts'
import { CANARY, type World } from './worlds.ts'

export type FaultKind = 'leak' | 'crash' | 'hang' | 'form'

export interface Fault { readonly kind: FaultKind, readonly text: string }

export interface Verdict {
  readonly forwarded: boolean
  readonly faults: readonly Fault[]
}

/** Judges one case. Several at once share what the witness complains of: replay each alone then. */
export function judge ({ received, answers, end }: Exchange, witness: Witness, world: World): Verdict {
  const faults: Fault[] = witness.complaints().map(text => ({ kind: 'leak', text }))
  if (received.includes(CANARY)) faults.push({ kind: 'leak', text: 'the answer holds the canary' })
  if (end === 'gone') faults.push({ kind: 'crash', text: 'the gateway does not listen any more' })
  if (end === 'hung') faults.push({ kind: 'hang', text: 'neither an answer nor an end' })
  let forwarded = false
  for (const { status, head, body } of answers) {
    const id = /\r\nx-request-id: ([0-9a-f-]+)/.exec(head)?.[1]
    if (head.includes('\r\ncontent-type: application/x-yaml') || (id !== undefined && witness.saw(id))) forwarded = true
    if (status >= 400) faults.push(...formFaults(status, head, body))
    else if (body.includes('"access_token"')) faults.push(...tokenFaults(body, world))
  }
  return { forwarded, faults }
}

/** Every refusal is JSON with a string `error`; only HEAD has no body. */
function formFaults (status: number, head: string, body: Buffer): Fault[] {
  if (status === 500) return [{ kind: 'crash', text: `an error that nobody expected: ${body.toString()}` }]
  if (!head.includes('\r\ncontent-type: application/json')) return [{ kind: 'form', text: `a ${status} that is not JSON: ${head}` }]
  // an answer to HEAD says how long the body would be
  if (body.length === 0) return /\r\ncontent-length: [1-9]/.test(head) ? [] : [{ kind: 'form', text: `a ${status} without a body: ${head}` }]
  try {
    const { error } = JSON.parse(body.toString()) as { error?: unknown }
    return typeof error === 'string' ? [] : [{ kind: 'form', text: `a ${status} without a string error: ${body.toString()}` }]
  } catch {
    return [{ kind: 'form', text: `a ${status} that is not JSON: ${body.toString()}` }]
  }
}

/** A token that was issued proves nothing but what the principal may. */
function tokenFaults (body: Buffer, { tenant }: World): Fault[] {
  const { token } = JSON.parse(body.toString()) as { token: string }
  const { access } = JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString()) as { access: { name: string }[] }
  return access.every(({ name }) => name === tenant) ? [] : [{ kind: 'leak', text: `a token was issued for ${JSON.stringify(access)}` }]
}
