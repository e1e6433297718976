// Which text does Go find in the bytes of a YAML file? UTF-8, or UTF-16 behind its byte order
// mark, without control characters (go.yaml.in/yaml v2.4.4, readerc.go). Asked before the
// text is looked at: Go finds what is wrong as it goes on, and reads no document behind the
// first one. A mark that is left in the text is a letter like others, but not to Go: where
// one is the first of what its buffer holds, it passes over the first letter of each line
// (yamlprivateh.go, is_bom). Who needs to know what Go reads takes no such text.

export type GoTextResult =
  | { readonly ok: true, readonly text: string }
  | { readonly ok: false, /** as part of a sentence */ readonly problem: string }

const UTF8_MARK = Buffer.from('\ufeff')
/** Everything that Go takes; a half of a character cannot be in what was decoded. */
// eslint-disable-next-line no-control-regex
const REFUSED = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/

/** The text, without a byte order mark at its start. */
export function goYamlText (bytes: Buffer): GoTextResult {
  const text = decode(bytes)
  if (text === undefined) return { ok: false, problem: 'is not UTF-8' }
  return REFUSED.test(text) ? { ok: false, problem: 'has control characters' } : { ok: true, text }
}

function decode (bytes: Buffer): string | undefined {
  const isBigEndian = bytes[0] === 0xfe && bytes[1] === 0xff
  const isUtf16 = isBigEndian || (bytes[0] === 0xff && bytes[1] === 0xfe)
  const isMarked = bytes.subarray(0, UTF8_MARK.length).equals(UTF8_MARK)
  const encoding = isBigEndian ? 'utf-16be' : isUtf16 ? 'utf-16le' : 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true })
      .decode(bytes.subarray(isUtf16 ? 2 : isMarked ? UTF8_MARK.length : 0))
  } catch {
    return undefined
  }
}
