// The structure of a certificate with any alternative names, as a reader of names sees it;
// nobody signed it.
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import { Certificate, Extension, Extensions, GeneralName, id_ce_subjectAltName as ALTERNATIVE, SubjectAlternativeName, TBSCertificate } from '@peculiar/asn1-x509'

/** DER. @param names of hosts, each of one byte a character */
export function certificateWith (names: readonly string[]): ArrayBuffer {
  const alternatives = new SubjectAlternativeName(names.map(dNSName => new GeneralName({ dNSName })))
  const extension = new Extension({ extnID: ALTERNATIVE, extnValue: new OctetString(AsnConvert.serialize(alternatives)) })
  return AsnConvert.serialize(new Certificate({ tbsCertificate: new TBSCertificate({ extensions: new Extensions([extension]) }), signatureValue: new ArrayBuffer(1) }))
}
