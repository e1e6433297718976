// Which certificates are in force, and when are they read again? Each part of the
// configuration that names some is a part of what is watched: one that cannot be used leaves
// the old ones in force, holds up nobody else, and is tried again until it can be.
import { hash } from 'node:crypto'
import { readText, stampsOf, type FileText, type Stamps } from '../files/files.ts'
import type { Config } from '../config/schema.ts'
import { createLive, type Live } from '../lib/live.ts'
import { endOf, firstEnd, readMaterial, timeFault, timeText, type Material, type TlsTexts } from '../tls/material.ts'
import type { ListenerTls } from '../tls/listener.ts'
import type { UpstreamTls } from '../upstream/client.ts'
import type { Check } from '../observe/checks.ts'
import { SOON } from './account-warnings.ts'
import type { LivePart } from './part.ts'

export type TlsKey = 'listen.tls' | 'listen.tls.clientCa' | 'admin.tls' | 'upstream.tls'

/** What one part of the configuration names. */
export interface TlsPart {
  readonly key: TlsKey
  readonly files: TlsTexts
  readonly live: Live<Material>
}

export interface OpenedTls {
  readonly parts: readonly TlsPart[]
  /** Of the files, taken before they were read. */
  readonly stamps: Stamps
}

export type OpenedTlsResult =
  | { readonly ok: true, readonly opened: OpenedTls }
  | { readonly ok: false, /** one line each */ readonly mistakes: readonly string[] }

export type TlsConfig = Pick<Config, 'listen' | 'admin' | 'upstream'>

/** What each part names; absolute. */
export function tlsFiles ({ listen: { tls }, admin, upstream }: TlsConfig): ReadonlyMap<TlsKey, TlsTexts> {
  const files = new Map<TlsKey, TlsTexts>()
  if (tls !== undefined) files.set('listen.tls', { cert: tls.cert, key: tls.key })
  if (tls?.clientCa !== undefined) files.set('listen.tls.clientCa', { ca: tls.clientCa })
  if (admin.tls !== undefined) files.set('admin.tls', admin.tls)
  const { serverName: _name, ...named } = upstream.tls ?? {}
  if (Object.keys(named).length > 0) files.set('upstream.tls', named)
  return files
}

/** Reads them for the first time. @param now seconds since the epoch */
export async function openTls (config: TlsConfig, now: number): Promise<OpenedTlsResult> {
  const named = [...tlsFiles(config)]
  const stamps = await stampsOf(named.flatMap(([, files]) => Object.values(files)))
  const read = await Promise.all(named.map(async ([key, files]) => {
    return { key, files, result: await readPart(key, files, now, readText) }
  }))
  const mistakes: string[] = []
  const parts: TlsPart[] = []
  for (const { key, files, result } of read) {
    if (result.ok) parts.push({ key, files, live: createLive(result.material) })
    else mistakes.push(...result.mistakes)
  }
  return mistakes.length > 0 ? { ok: false, mistakes } : { ok: true, opened: { parts, stamps } }
}

/** What is in force of a part; undefined when the configuration names nothing there. */
export function liveOf ({ parts }: Pick<OpenedTls, 'parts'>, key: TlsKey): Live<Material> | undefined {
  return parts.find(part => part.key === key)?.live
}

/** What the public listener speaks TLS with; undefined: it speaks plain HTTP. */
export function listenerTls ({ listen }: TlsConfig, opened: Pick<OpenedTls, 'parts'>): ListenerTls | undefined {
  const pair = liveOf(opened, 'listen.tls')
  if (listen.tls === undefined || pair === undefined) return undefined
  const clients = liveOf(opened, 'listen.tls.clientCa')
  return { minVersion: listen.tls.minVersion, pair, ...(clients === undefined ? {} : { clients }) }
}

/** What the chart repository is asked with, if it is over TLS in a way of its own. */
export function upstreamTls ({ upstream: { tls } }: TlsConfig, opened: Pick<OpenedTls, 'parts'>): UpstreamTls {
  const material = liveOf(opened, 'upstream.tls')
  const name = tls?.serverName
  return { ...(name === undefined ? {} : { serverName: name }), ...(material === undefined ? {} : { material }) }
}

type PartResult = ReturnType<typeof readMaterial>

async function readPart (
  key: TlsKey,
  files: TlsTexts,
  now: number,
  text: (file: string) => Promise<FileText>
): Promise<PartResult> {
  const read = await Promise.all(Object.entries(files).map(async ([what, file]) => [what, await text(file)] as const))
  const unreadable: string[] = []
  const texts: Record<string, string> = {}
  for (const [what, found] of read) {
    if (found.ok) texts[what] = found.text
    else unreadable.push(`${key}: ${found.mistake}`)
  }
  if (unreadable.length > 0) return { ok: false, mistakes: unreadable }
  const result = readMaterial(files, texts)
  const fault = result.ok ? timeFault(files, result.material, now) : undefined
  const found = fault === undefined ? result : { ok: false, mistakes: [fault] } as const
  return found.ok ? found : { ok: false, mistakes: found.mistakes.map(mistake => `${key}: ${mistake}`) }
}

/** Certificates, as parts that can be read again. @param now seconds since the epoch */
export function tlsParts ({ parts }: Pick<OpenedTls, 'parts'>, now: () => number): LivePart[] {
  return parts.map(({ key, files, live }): LivePart => ({
    // Where they lie is said at the start.
    files: async () => Object.values(files),
    async load ({ reader }, log) {
      const read = await readPart(key, files, now(), async file => await reader.text(file))
      if (!read.ok) return { changed: [], mistakes: read.mistakes, again: true } // also one whose time comes
      const { material } = read
      if (digestOf(material) === digestOf(live.current)) return { changed: [], mistakes: [], again: false }
      live.current = material
      log.info({ key, ...summary(material) }, 'certificates were read again')
      return { changed: [key], mistakes: [], again: false }
    }
  }))
}

function summary (material: Material): object {
  return { fingerprint: material.own?.fingerprint256, expires: timeText(firstEnd(material)) }
}

/** What tells one state from another. */
function digestOf ({ texts: { cert = '', key = '', ca = '' } }: Material): string {
  return hash('sha256', JSON.stringify([cert, key, ca]))
}

/** Of all that is in force: the same in every process that has the same. */
export function digestOfTls ({ parts }: Pick<OpenedTls, 'parts'>): string {
  return hash('sha256', parts.map(({ live }) => digestOf(live.current)).join())
}

/** As plain data, for another process that begins with what is in force here. */
export type TlsData = readonly (Pick<TlsPart, 'key' | 'files'> & Pick<Material, 'texts'>)[]

export function tlsData ({ parts }: Pick<OpenedTls, 'parts'>): TlsData {
  return parts.map(({ key, files, live }) => ({ key, files, texts: live.current.texts }))
}

/** What was in force in another process, also when its time has come since. */
export function tlsOfData (data: TlsData, stamps: Stamps): OpenedTls {
  const parts = data.map(({ key, files, texts }) => {
    const read = readMaterial(files, texts)
    if (!read.ok) throw new Error(read.mistakes.join()) // they were read before
    return { key, files, live: createLive(read.material) }
  })
  return { parts, stamps }
}

/** Certificates that have ended or end within two weeks, one line each. @param now seconds since the epoch */
export function certificateWarnings ({ parts }: Pick<OpenedTls, 'parts'>, now: number): string[] {
  return parts.flatMap(({ key, files, live: { current: { own, authorities } } }) => [
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
