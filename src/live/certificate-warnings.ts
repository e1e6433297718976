// Which certificates end soon, and is TLS spoken where clients are told so? What is in force
// all the same, and somebody should hear of: in the log, in `check` and in /readyz?verbose.
import type { Config } from '../config/schema.ts'
import type { Check } from '../observe/checks.ts'
import { endOf, timeText } from '../tls/material.ts'
import { SOON } from './account-warnings.ts'
import type { OpenedTls } from './live-tls.ts'

/** Certificates that have ended or end within two weeks, one line each. @param now seconds since the epoch */
export function certificateWarnings ({ parts }: Pick<OpenedTls, 'parts'>, now: number): string[] {
  return parts.flatMap(({ key, live: { current: { files, own, authorities } } }) => [
    ...(own === undefined ? [] : endsSoon(`${key}: the certificate in ${files.cert}`, endOf(own), now)),
    ...authorities.flatMap(each => {
      const name = JSON.stringify(each.subject.replaceAll('\n', ', '))
      return endsSoon(`${key}: the authority ${name} in ${files.ca}`, endOf(each), now)
    })
  ])
}

/** For /readyz?verbose: what ends soon is still in force, and hinders nothing. @param now seconds since the epoch */
export function certificatesCheck (opened: Pick<OpenedTls, 'parts'>, now: () => number): Check {
  return { name: 'certificates', hinders: false, look: async () => certificateWarnings(opened, now()) }
}

function endsSoon (what: string, end: number, now: number): string[] {
  if (end - now > SOON) return []
  return [end <= now
    ? `${what} ended at ${timeText(end)}: put a new one in its place`
    : `${what} ends at ${timeText(end)}: put a new one in its place before that`]
}

/** What of the whole may not be as it was meant, one line each. */
export function schemeWarnings ({ publicUrl, listen: { tls } }: Pick<Config, 'publicUrl' | 'listen'>): string[] {
  return tls !== undefined && publicUrl.startsWith('http:')
    ? ['publicUrl: it is http, and the public listener speaks TLS (listen.tls): ' +
      'clients are told a URL that does not work']
    : []
}
