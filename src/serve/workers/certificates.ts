// Has every worker the certificates that its primary has? Each process reads the files
// itself; who has something else a while after a change is named, once for each change.
import { digestOfTls, type OpenedTls } from '../../live/live-tls.ts'
import type { Later } from '../../lib/timers.ts'
import type { Member, Office } from './member.ts'
import type { Channel, ToPrimary, ToWorker } from './messages.ts'

export interface CertificateOffice extends Office {
  close (): void
}

export interface CertificateOfficeOptions {
  readonly tls: Pick<OpenedTls, 'parts'>
  readonly log: { warn (fields: object, message: string): void }
  readonly later: Later
}

/** Milliseconds: more than two tries of a worker that could not use its files. */
const PATIENCE = 12_000

/** For the primary. */
export function createCertificateOffice ({ tls, log, later }: CertificateOfficeOptions): CertificateOffice {
  const has = new Map<Member, string | undefined>()
  let cancel = (): void => {}

  function compare (): void {
    const ours = digestOfTls(tls)
    const behind = [...has].filter(([, digest]) => digest !== ours).map(([{ pid }]) => pid)
    if (behind.length === 0) return
    log.warn(
      { workers: behind },
      'these workers still have certificates of before: they try again by themselves, and their own lines say why; ' +
      'one that says nothing may be ended, and another takes its place'
    )
  }

  const ends = tls.parts.map(({ live }) => live.follow(() => {
    cancel()
    cancel = later(PATIENCE, compare)
  }))
  return {
    join (member) {
      has.set(member, undefined)
      member.receive(message => { if (message.kind === 'certificates') has.set(member, message.digest) })
    },
    leave (member) { has.delete(member) },
    close () {
      cancel()
      for (const end of ends) end()
    }
  }
}

/** For a worker: says what it has, now and whenever that changes. */
export function sayCertificates (channel: Pick<Channel<ToWorker, ToPrimary>, 'send'>, tls: OpenedTls): void {
  const say = (): void => { channel.send({ kind: 'certificates', digest: digestOfTls(tls) }) }
  say()
  for (const { live } of tls.parts) live.follow(say)
}
