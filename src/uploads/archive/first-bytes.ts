// What was sent instead of a packaged chart? Told by its first bytes, for whoever has to find
// out which of their commands was the wrong one.

/** So many are looked at: up to the end of a tar header. */
export const FIRST_BYTES = 512

const KINDS: readonly (readonly [magic: string, at: number, what: string])[] = [
  ['PK\x03\x04', 0, 'a zip file: pack the chart with `helm package FOLDER`'],
  ['ustar', 257, 'a tar archive that is not compressed: pack the chart with `helm package FOLDER`, or with `tar czf`'],
  ['BZh', 0, 'compressed with bzip2: pack the chart with `helm package FOLDER`, or with `tar czf`'],
  ['\xfd7zXZ\0', 0, 'compressed with xz: pack the chart with `helm package FOLDER`, or with `tar czf`'],
  ['\x28\xb5\x2f\xfd', 0, 'compressed with zstd: pack the chart with `helm package FOLDER`, or with `tar czf`'],
  [
    '-----BEGIN PGP SIGNED MESSAGE-----', 0,
    'a provenance file: send it with its chart (`curl -F chart=@FILE.tgz -F prov=@FILE.tgz.prov`), ' +
    'or alone to /api/TENANT/prov (`curl --data-binary @FILE.tgz.prov`)'
  ]
]

/** What begins so, as a sentence; undefined: it is not known. */
export function otherThanGzip (firstBytes: Buffer): string | undefined {
  const what = KINDS.find(([magic, at]) => firstBytes.toString('latin1', at, at + magic.length) === magic)?.[2]
  return what === undefined ? undefined : `the upload is ${what}`
}
