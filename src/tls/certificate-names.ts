// What is a certificate called? Its subject and its alternative names, each read by its type
// from the structure that was signed, never from a text that several are joined in.
import { AsnConvert } from '@peculiar/asn1-schema'
import { Certificate, id_ce_subjectAltName as ALTERNATIVE, SubjectAlternativeName } from '@peculiar/asn1-x509'
import { keyOfName, type Attribute } from './distinguished-name.ts'
import { isIpName, keyOfDns, keyOfEmail, keyOfIp, keyOfSubject, keyOfUri } from './name-keys.ts'

/** Bytes of a certificate with names: thousands of them would take a second to read. */
export const LARGEST = 8_192

/**
 * Every name of a certificate, as keys of what is looked for (name-keys.ts); of one that is
 * larger than LARGEST none. @param der what was signed @throws when it is no certificate
 */
export function namesOf (der: Uint8Array): readonly string[] {
  if (der.length > LARGEST) return []
  const { tbsCertificate: { subject, extensions = [] } } = AsnConvert.parse(der, Certificate)
  const steps = [...subject].map(step => [...step].map(({ type, value }): Attribute | undefined => {
    const { utf8String, printableString, ia5String, bmpString } = value
    const text = utf8String ?? printableString ?? ia5String ?? bmpString
    return text === undefined ? undefined : [type, text]
  }))
  const isRead = (step: (Attribute | undefined)[]): step is Attribute[] => !step.includes(undefined)
  const bySubject = steps.length > 0 && steps.every(isRead)
    ? [keyOfSubject(keyOfName(steps.reverse()))] // a certificate begins with the most general
    : []
  const alternatives = extensions
    .filter(({ extnID }) => extnID === ALTERNATIVE)
    .flatMap(({ extnValue }) => [...AsnConvert.parse(extnValue, SubjectAlternativeName)])
  return [...bySubject, ...alternatives.flatMap(({
    dNSName, rfc822Name, uniformResourceIdentifier: uri, iPAddress: ip
  }) => [
    ...(dNSName === undefined ? [] : [keyOfDns(dNSName)]),
    ...(rfc822Name === undefined ? [] : [keyOfEmail(rfc822Name)]),
    ...(uri === undefined ? [] : [keyOfUri(uri)]),
    ...(ip === undefined || !isIpName(ip) ? [] : [keyOfIp(ip)]) // some other number of bytes is no address
  ])]
}
