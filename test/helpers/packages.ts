// Charts and archives for tests: good ones as Helm makes them, and any entry list as
// nobody should.
import { gzipSync } from 'node:zlib'
import { pack, type Header } from 'tar-stream'

export interface Entry { readonly name: string, readonly body?: string | Buffer, readonly type?: Header['type'], readonly linkname?: string }

/** A .tgz of exactly these entries. */
export async function archiveOf (entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack()
  for (const { name, body = '', type = 'file', linkname } of entries) archive.entry({ name, type, ...(linkname === undefined ? {} : { linkname }) } as Header, body)
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) chunks.push(chunk as Buffer)
  return gzipSync(Buffer.concat(chunks))
}

/** A chart as `helm package` lays it out. */
export async function chartOf (name: string, version: string, more: readonly Entry[] = []): Promise<Buffer> {
  return await archiveOf([
    { name: `${name}/Chart.yaml`, body: chartYaml(name, version) },
    { name: `${name}/values.yaml`, body: 'replicas: 1\n' },
    { name: `${name}/templates/cm.yaml`, body: 'kind: ConfigMap\n' },
    ...more
  ])
}

export function chartYaml (name: string, version: string): string {
  return `apiVersion: v2\nname: ${name}\nversion: ${version}\ndescription: a <chart> & more\n`
}

/** A provenance file in Helm's form, with a signature that nobody made. */
export function provenanceOf (name: string, version: string): string {
  return [
    '-----BEGIN PGP SIGNED MESSAGE-----', 'Hash: SHA512', '', 'apiVersion: v2', `name: ${name}`, `version: ${version}`, '', '...',
    'files:', `  ${name}-${version}.tgz: sha256:0000`, '-----BEGIN PGP SIGNATURE-----', '', 'none', '-----END PGP SIGNATURE-----', ''
  ].join('\n')
}

export interface FormPart { readonly field: string, readonly body: string | Buffer, readonly filename?: string }

/** A multipart/form-data body and its content type. */
export function formOf (parts: readonly FormPart[], { closed = true } = {}): { contentType: string, body: Buffer } {
  const boundary = 'test-boundary'
  const chunks = parts.flatMap(({ field, body, filename }) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${field}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n\r\n`),
    Buffer.from(body), Buffer.from('\r\n')
  ])
  return { contentType: `multipart/form-data; boundary=${boundary}`, body: Buffer.concat([...chunks, Buffer.from(closed ? `--${boundary}--\r\n` : '')]) }
}
