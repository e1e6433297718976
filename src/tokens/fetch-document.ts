// How is a document of a token server fetched? With one GET that goes where it was sent and
// nowhere else: a redirect is none, whoever is named in it; bounded in bytes and time; through
// the proxy that HTTPS_PROXY names, unless NO_PROXY says otherwise, and on loopback through none.
import { readFile } from 'node:fs/promises'
import { Agent, EnvHttpProxyAgent, request, type Dispatcher } from 'undici'
import { isLoopbackUrl } from '../lib/safe-url.ts'

export interface DocumentPlace {
  /** https, or http on loopback. */
  readonly url: string
  /** A file of authorities in PEM, instead of those that everybody trusts. */
  readonly ca?: string | undefined
  /** A file with a token that is sent as Bearer. */
  readonly tokenFile?: string | undefined
}

export interface DocumentBounds {
  readonly bytes: number
  readonly signal: AbortSignal
}

/**
 * The body of a 200. Both files are read anew each time: whoever rotates them tells nobody.
 * @throws what hindered it, as an error whose message or code says it
 */
export async function fetchDocument ({ url, ca, tokenFile }: DocumentPlace, bounds: DocumentBounds): Promise<string> {
  const trusted = ca === undefined ? {} : { ca: await readFile(ca, 'utf8') }
  const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).trim()
  const dispatcher = isLoopbackUrl(new URL(url))
    ? new Agent({ connect: trusted })
    : new EnvHttpProxyAgent({ connect: trusted, requestTls: trusted })
  try {
    bounds.signal.throwIfAborted() // it may be the second document of one time
    return await inTime(download(url, dispatcher, token, bounds.bytes), bounds.signal)
  } finally {
    void dispatcher.destroy() // with all that is still on its way there
  }
}

/** What comes before the signal; undici looks at one of its own only when there is a connection. @throws its reason */
async function inTime<T> (awaited: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    signal.addEventListener('abort', () => {
      const { reason } = signal as { readonly reason: Error }
      reject(reason)
    }, { once: true })
    awaited.then(resolve, reject)
  })
}

async function download (
  url: string,
  dispatcher: Dispatcher,
  token: string | undefined,
  bytes: number
): Promise<string> {
  const { statusCode, body } = await request(url, {
    dispatcher,
    headers: { accept: 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    reset: true
  })
  if (statusCode !== 200) {
    await body.dump()
    throw new Error(`it answered ${statusCode}`)
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bytes) throw new Error(`it sent more than ${bytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
