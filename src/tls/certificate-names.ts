// What is a certificate called? Its subject and its alternative names, each read by its type
// from the structure that was signed, never from a text that several are joined in.
import { AsnConvert } from '@peculiar/asn1-schema'
import { Certificate, id_ce_subjectAltName as ALTERNATIVE, SubjectAlternativeName } from '@peculiar/asn1-x509'
import { keyOfName, type Attribute } from './distinguished-name.ts'
import { keyOfDns, keyOfEmail, keyOfSubject, keyOfUri } from './name-keys.ts'

/** Every name of a certificate, as keys of what is looked for (name-keys.ts). @param der what was signed */
export function namesOf (der: Uint8Array): readonly string[] {
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
  return [...bySubject, ...alternatives.flatMap(({ dNSName, rfc822Name, uniformResourceIdentifier: uri }) => [
    ...(dNSName === undefined ? [] : [keyOfDns(dNSName)]),
    ...(rfc822Name === undefined ? [] : [keyOfEmail(rfc822Name)]),
    ...(uri === undefined ? [] : [keyOfUri(uri)])
  ])]
}
