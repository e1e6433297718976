// A registry's client in a few lines: what is asked of /v2/, and what comes back.
import { createHash } from 'node:crypto'
import { request } from 'undici'
import type { IncomingHttpHeaders } from 'undici/types/header.js'

export interface OciAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  /** The codes of its errors. */
  readonly codes: readonly string[]
}

export interface OciManifest {
  readonly config: OciDescriptor
  readonly layers: readonly OciDescriptor[]
  readonly annotations: Readonly<Record<string, string>>
}

export interface OciDescriptor { readonly mediaType: string, readonly digest: string, readonly size: number }

export interface OciOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Asks for a path below /v2/. @param authorization the whole header; undefined sends none */
export async function askOci (origin: string, path: string, authorization: string | undefined, { method = 'GET', headers = {} }: OciOptions = {}): Promise<OciAnswer> {
  const answer = await request(`${origin}/v2/${path}`, { method: method as 'GET', headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) } })
  const bytes = Buffer.from(await answer.body.arrayBuffer())
  return { status: answer.statusCode, headers: answer.headers, bytes, codes: codesOf(bytes) }
}

function codesOf (bytes: Buffer): string[] {
  try {
    return (JSON.parse(bytes.toString()) as { errors?: { code: string }[] }).errors?.map(({ code }) => code) ?? []
  } catch {
    return [] // no JSON
  }
}

export function manifestIn ({ bytes }: Pick<OciAnswer, 'bytes'>): OciManifest {
  return JSON.parse(bytes.toString()) as OciManifest
}

/** The digest of bytes, as a registry has it. */
export function digestOfBytes (bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
