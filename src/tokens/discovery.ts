// Where does an issuer publish its keys? Its discovery document says so (OpenID Connect
// Discovery 1.0 section 4), and has to be of that issuer, to the letter (section 4.3).
import { isSafeUrl } from '../lib/safe-url.ts'
import { fetchDocument, type DocumentBounds } from './fetch-document.ts'

/** @throws what hinders it @returns the `jwks_uri` */
export async function discoverKeys (issuer: string, ca: string | undefined, bounds: DocumentBounds): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const text = await fetchDocument({ url, ca }, bounds)
  const document = readDocument(text)
  if (document === undefined) throw new Error('its discovery document is not a JSON object')
  const { issuer: named, jwks_uri: keys } = document
  if (named !== issuer) throw new Error('its discovery document is of another issuer: compare them to the letter')
  // Who is asked over https sends nobody to this machine.
  if (typeof keys !== 'string' || !isSafeUrl(keys) || (url.startsWith('https:') && !keys.startsWith('https:'))) {
    throw new Error('the jwks_uri of its discovery document is no https URL')
  }
  return keys
}

function readDocument (text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value as Record<string, unknown> : undefined
  } catch {
    return undefined
  }
}
