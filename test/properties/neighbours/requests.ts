// Requests as bytes: what hostile clients say, right and wrong.
import { basic } from './ask.ts'
import type { Random } from './random.ts'
import { FILES } from './shelf.ts'

export interface RequestParts {
  readonly method?: string
  readonly target: string
  /** Lines without their ends. */
  readonly headers?: readonly string[]
}

/** A request's head, up to and with the empty line. */
export function headOf ({ method = 'GET', target, headers = [] }: RequestParts): string {
  return [`${method} ${target} HTTP/1.1`, 'Host: charts.example.test', ...headers, '', ''].join('\r\n')
}

/** A POST with its body, which is as long as it says. */
export function postOf (target: string, headers: readonly string[], body: Buffer): Buffer {
  const head = headOf({ method: 'POST', target, headers: [...headers, `Content-Length: ${body.length}`] })
  return Buffer.concat([Buffer.from(head), body])
}

/** Where charts of a tenant are pushed to, and below it deleted. */
export function uploadTarget (tenant: string): string {
  return `/api/${tenant}/charts`
}

export function basicHeader (name: string, password: string): string {
  return `Authorization: ${basic({ name, password })}`
}

/** Something to read of a tenant: what it is called in a note, and its request without credentials. */
export interface Readable extends RequestParts { readonly what: string }

/** What hostile clients read: every door, small and large, also what is not there or not answered. */
export function readablesOf (tenant: string): Readable[] {
  return [
    { what: 'index', target: `/${tenant}/index.yaml` },
    { what: 'index under gzip', target: `/${tenant}/index.yaml`, headers: ['Accept-Encoding: gzip'] },
    { what: 'small file', target: `/${tenant}/charts/${FILES.small}` },
    { what: 'streamed file', target: `/${tenant}/charts/${FILES.middle}` },
    { what: 'large file', target: `/${tenant}/charts/${FILES.large}` },
    { what: 'HEAD of a large file', method: 'HEAD', target: `/${tenant}/charts/${FILES.large}` },
    { what: 'HEAD of the index', method: 'HEAD', target: `/${tenant}/index.yaml` },
    { what: 'file that is not there', target: `/${tenant}/charts/none-0.0.1.tgz` },
    { what: 'provenance that is not there', target: `/${tenant}/charts/${FILES.small}.prov` },
    { what: 'list of the API', target: `/api/${tenant}/charts` },
    { what: 'version of the API', target: `/api/${tenant}/charts/good/0.1.0` },
    { what: 'values of the API', target: `/api/${tenant}/charts/good/0.1.0/values` },
    { what: 'HEAD of the API', method: 'HEAD', target: `/api/${tenant}/charts/good/0.1.0` },
    { what: 'tenant of somebody else', target: '/near/shop/index.yaml' },
    { what: 'health', target: '/health' },
    { what: 'refused target', target: `/${tenant}/../index.yaml` }
  ]
}

/** A read with credentials. */
export function readOf (readable: Readable, credentials: string, more: readonly string[] = []): string {
  return headOf({ ...readable, headers: [credentials, ...readable.headers ?? [], ...more] })
}

export function readableNamed (tenant: string, what: string): Readable {
  const found = readablesOf(tenant).find(each => each.what === what)
  if (found === undefined) throw new Error(`nothing is called ${what}`)
  return found
}

/** Cut somewhere, not at its ends. */
export function cut (bytes: string | Buffer, random: Random): string | Buffer {
  return bytes.slice(0, random.between(1, bytes.length - 1))
}
