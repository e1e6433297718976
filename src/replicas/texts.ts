// What do the files of redis.tls hold, and can it be used? Read at a start alone.
import type { RedisConfig } from '../config/schema.ts'
import { readText } from '../files/files.ts'
import { readMaterial, type TlsTexts } from '../tls/material.ts'

export type TextsResult =
  | { readonly ok: true, readonly texts: TlsTexts }
  | { readonly ok: false, /** a sentence each, which names the key */ readonly mistakes: readonly string[] }

export async function readTexts ({ tls: files = {} }: Pick<RedisConfig, 'tls'>): Promise<TextsResult> {
  const texts: Record<string, string> = {}
  for (const [what, file] of Object.entries(files)) {
    const read = await readText(file)
    if (!read.ok) return { ok: false, mistakes: [`redis.tls.${what}: ${read.mistake}`] }
    texts[what] = read.text
  }
  const read = readMaterial({ files }, texts)
  return read.ok ? { ok: true, texts } : { ok: false, mistakes: read.mistakes.map(each => `redis.tls: ${each}`) }
}
