// Is a distinguished name in text the one in a certificate? Both become the same list of
// attributes by their object identifiers, so that no text of a certificate is ever taken
// apart: a value may hold what looks like another attribute (CVE-2021-44532).

/** One attribute: its object identifier and its value. */
export type Attribute = readonly [type: string, value: string]
/** From the most particular to the most general, as RFC 4514 writes it; each may have several. */
export type DistinguishedName = readonly (readonly Attribute[])[]

/** As RFC 4514 section 3 and openssl x509 -nameopt RFC2253 write them. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['CN', '2.5.4.3'], ['SERIALNUMBER', '2.5.4.5'], ['C', '2.5.4.6'], ['L', '2.5.4.7'], ['ST', '2.5.4.8'],
  ['STREET', '2.5.4.9'], ['O', '2.5.4.10'], ['OU', '2.5.4.11'], ['UID', '0.9.2342.19200300.100.1.1'],
  ['DC', '0.9.2342.19200300.100.1.25'], ['EMAILADDRESS', '1.2.840.113549.1.9.1']
])

const TYPE = /[ ]{0,9}([A-Za-z]{1,30}|\d[\d.]{1,60})[ ]{0,9}=[ ]{0,9}/y
const VALUE = /(?:\\[0-9A-Fa-f]{2}|\\[ "#+,;<=>\\]|[^\\"+,;<>])+/y
const ESCAPED = /((?:\\[0-9A-Fa-f]{2})+)|\\(.)/g

/** Reads one in the form of RFC 4514, such as CN=ci,OU=Build,O=Example; undefined when it is none. */
export function readDistinguishedName (text: string): DistinguishedName | undefined {
  const name: Attribute[][] = [[]]
  for (let at = 0; at <= text.length; at++) {
    TYPE.lastIndex = at
    const [type, word = ''] = TYPE.exec(text) ?? []
    VALUE.lastIndex = at + (type?.length ?? 0)
    const [value] = VALUE.exec(text) ?? []
    const id = /^\d/.test(word) ? word : TYPES.get(word.toUpperCase())
    if (type === undefined || value === undefined || id === undefined || value.startsWith('#')) return undefined
    name.at(-1)?.push([id, unescaped(value)])
    at += type.length + value.length
    const separator = text[at]
    if (separator === ',') name.push([])
    else if (separator !== '+' && separator !== undefined) return undefined
  }
  return name
}

/** Without blanks behind it, unless they are escaped. */
function unescaped (value: string): string {
  let end = value.length
  while (value[end - 1] === ' ' && value[end - 2] !== '\\') end--
  return value.slice(0, end).replace(ESCAPED, (_all, hex: string | undefined, character: string) => {
    return hex === undefined ? character : Buffer.from(hex.replaceAll('\\', ''), 'hex').toString('utf8')
  })
}

/** The same text for the same name; the order of several attributes of one step says nothing. */
export function keyOfName (name: DistinguishedName): string {
  return JSON.stringify(name.map(attributes => attributes.map(each => JSON.stringify(each)).sort()))
}
