// What names content by its bytes? A digest, in the grammar of OCI (opencontainers/image-spec
// v1.1.1, descriptor.md, "Digests"): an algorithm, a colon and what it made of them.

const HEX = /^[a-f0-9]{64}$/
/** Those whose form is registered; of another algorithm only the grammar is known. */
const REGISTERED: Readonly<Record<string, RegExp>> = { sha256: HEX, sha512: /^[a-f0-9]{128}$/ }
const GRAMMAR = /^([a-z0-9]+(?:[+._-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)$/
const LONGEST_DIGEST = 256

/** True for a digest of whichever algorithm. */
export function isDigest (text: string): boolean {
  if (text.length > LONGEST_DIGEST) return false
  const [, algorithm, encoded] = GRAMMAR.exec(text) ?? []
  if (algorithm === undefined || encoded === undefined) return false
  return !Object.hasOwn(REGISTERED, algorithm) || (REGISTERED[algorithm] as RegExp).test(encoded)
}

/** True for a SHA-256 in hex. */
export function isHex (value: unknown): value is string {
  return typeof value === 'string' && HEX.test(value)
}

/** The digest of a SHA-256 in hex, as a registry writes it. */
export function digestOfHex (hex: string): string {
  return `sha256:${hex}`
}

/** The SHA-256 in hex of a digest; undefined for one of another algorithm. */
export function hexOfDigest (digest: string): string | undefined {
  return digest.startsWith('sha256:') ? digest.slice('sha256:'.length) : undefined
}
