// Which certificates are in force, and when are they read again? Each part of the
// configuration that names some is a part of what is watched, with what else is said of them
// there: what cannot be used leaves all of the part as it was, holds up nobody else, and is
// tried again until it can be.
import { isDeepStrictEqual } from 'node:util'
import { readText, stampsOf, type FileText, type Stamps } from '../files/files.ts'
import type { Config } from '../config/schema.ts'
import { createLive, type Live } from '../lib/live.ts'
import { firstEnd, readMaterial, timeFault, timeText, type Material, type TlsNames } from '../tls/material.ts'
import type { ListenerTls } from '../tls/listener.ts'
import type { LivePart } from './part.ts'

export type TlsKey = 'listen.tls' | 'listen.tls.clientCa' | 'admin.tls' | 'upstream.tls'

/** What is in force of one part of the configuration. */
export interface TlsPart {
  readonly key: TlsKey
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

/**
 * What each part says, its files absolute. A listener that speaks plain HTTP has none, and
 * the way to the upstream always one, which may be empty.
 */
export function tlsNames ({ listen: { tls }, admin, upstream }: TlsConfig): ReadonlyMap<TlsKey, TlsNames> {
  const names = new Map<TlsKey, TlsNames>()
  if (tls !== undefined) {
    names.set('listen.tls', { files: { cert: tls.cert, key: tls.key }, minVersion: tls.minVersion })
    if (tls.clientCa !== undefined) names.set('listen.tls.clientCa', { files: { ca: tls.clientCa } })
  }
  if (admin.tls !== undefined) names.set('admin.tls', { files: admin.tls })
  const { serverName, ...files } = upstream.tls ?? {}
  return names.set('upstream.tls', { files, ...(serverName === undefined ? {} : { serverName }) })
}

/** All files that it names; absolute. */
export function tlsFiles (config: TlsConfig): string[] {
  return [...tlsNames(config).values()].flatMap(({ files }) => Object.values(files))
}

/** Reads them for the first time. @param now seconds since the epoch */
export async function openTls (config: TlsConfig, now: number): Promise<OpenedTlsResult> {
  const named = [...tlsNames(config)]
  const stamps = await stampsOf(tlsFiles(config))
  const read = await Promise.all(named.map(async ([key, names]) => {
    return { key, result: await readPart(key, names, now, readText) }
  }))
  const mistakes: string[] = []
  const parts: TlsPart[] = []
  for (const { key, result } of read) {
    if (result.ok) parts.push({ key, live: createLive(result.material) })
    else mistakes.push(...result.mistakes)
  }
  return mistakes.length > 0 ? { ok: false, mistakes } : { ok: true, opened: { parts, stamps } }
}

/** What is in force of a part; undefined when the configuration names nothing there. */
export function liveOf ({ parts }: Pick<OpenedTls, 'parts'>, key: TlsKey): Live<Material> | undefined {
  return parts.find(part => part.key === key)?.live
}

/** What the public listener speaks TLS with; undefined: it speaks plain HTTP. */
export function listenerTls (opened: Pick<OpenedTls, 'parts'>): ListenerTls | undefined {
  const pair = liveOf(opened, 'listen.tls')
  if (pair === undefined) return undefined
  const clients = liveOf(opened, 'listen.tls.clientCa')
  return { pair, ...(clients === undefined ? {} : { clients }) }
}

type PartResult = ReturnType<typeof readMaterial>

async function readPart (
  key: TlsKey,
  names: TlsNames,
  now: number,
  text: (file: string) => Promise<FileText>
): Promise<PartResult> {
  const read = await Promise.all(Object.entries(names.files).map(async ([what, file]) => {
    return [what, await text(file)] as const
  }))
  const unreadable: string[] = []
  const texts: Record<string, string> = {}
  for (const [what, found] of read) {
    if (found.ok) texts[what] = found.text
    else unreadable.push(`${key}: ${found.mistake}`)
  }
  if (unreadable.length > 0) return { ok: false, mistakes: unreadable }
  const result = readMaterial(names, texts)
  const fault = result.ok ? timeFault(result.material, now) : undefined
  const found = fault === undefined ? result : { ok: false, mistakes: [fault] } as const
  return found.ok ? found : { ok: false, mistakes: found.mistakes.map(mistake => `${key}: ${mistake}`) }
}

/** Certificates, as parts that can be read again. @param now seconds since the epoch */
export function tlsParts ({ parts }: Pick<OpenedTls, 'parts'>, now: () => number): LivePart[] {
  return parts.map(({ key, live }): LivePart => {
    // Whether there is such a part a restart alone changes (config/reloads.ts).
    const namesIn = (config: TlsConfig): TlsNames => tlsNames(config).get(key) as TlsNames
    return {
      files: async config => Object.values(namesIn(config).files),
      async load ({ config, reader }, log) {
        const read = await readPart(key, namesIn(config), now(), async file => await reader.text(file))
        if (!read.ok) return { changed: [], mistakes: read.mistakes, again: true } // also one whose time comes
        const { material } = read
        const changed = put({ key, live }, material)
        if (changed.length === 0) return { changed, mistakes: [], again: false }
        const end = firstEnd(material)
        const expires = end === undefined ? undefined : timeText(end)
        const fingerprint = material.own?.fingerprint256
        log.info({ keys: changed, fingerprint, expires }, 'certificates were read again')
        return { changed, mistakes: [], again: false }
      }
    }
  })
}

/** Puts it in force, unless it is; the keys of the configuration of which it has something else. */
function put ({ key, live }: TlsPart, material: Material): string[] {
  const changed = keysOfOthers(key, live.current, material)
  if (changed.length > 0) live.current = material
  return changed
}

/** The keys of which the name, or what the file of that name holds, is another. */
function keysOfOthers (part: TlsKey, before: Material, after: Material): string[] {
  const sayings = ({ files, texts, minVersion, serverName }: Material): Readonly<Record<string, unknown>> => ({
    ...Object.fromEntries(WHATS.map(what => [what, [files[what], texts[what]]])),
    minVersion,
    serverName
  })
  const [was, is] = [sayings(before), sayings(after)]
  return Object.keys(is)
    .filter(what => !isDeepStrictEqual(was[what], is[what]))
    .map(what => part === 'listen.tls.clientCa' ? part : `${part}.${what}`)
}

const WHATS = ['ca', 'cert', 'key'] as const

/** As plain data, for another process. */
export type TlsData = readonly (Pick<TlsPart, 'key'> & TlsNames & Pick<Material, 'texts'>)[]

export function tlsData ({ parts }: Pick<OpenedTls, 'parts'>): TlsData {
  return parts.map(({ key, live: { current } }) => {
    const { own: _own, authorities: _authorities, ...data } = current
    return { key, ...data }
  })
}

/** What is in force in another process, also when its time has come since. */
export function tlsOfData (data: TlsData): Pick<OpenedTls, 'parts'> {
  return { parts: data.map(each => ({ key: each.key, live: createLive(materialOf(each)) })) }
}

/** Puts in force here what is in another process, which has the same parts. */
export function putTls ({ parts }: Pick<OpenedTls, 'parts'>, data: TlsData): void {
  for (const [i, each] of data.entries()) put(parts[i] as TlsPart, materialOf(each))
}

function materialOf ({ key: _key, texts, ...names }: TlsData[number]): Material {
  const read = readMaterial(names, texts)
  if (!read.ok) throw new Error(read.mistakes.join()) // they were read before
  return read.material
}
