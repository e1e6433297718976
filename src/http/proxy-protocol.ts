// Is this the PROXY protocol (HAProxy's proxy-protocol.txt, sections 2.1 and 2.2)? A load
// balancer that writes it in front of each connection says there who the client is. It is
// not read here, because whoever comes past the balancer could write one too.

const V1 = Buffer.from('PROXY ', 'latin1')
const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

/** The version of the header that a connection begins with; undefined when it is none. */
export function proxyProtocolOf (bytes: Buffer): 'v1' | 'v2' | undefined {
  if (startsWith(bytes, V1)) return 'v1'
  return startsWith(bytes, V2) ? 'v2' : undefined
}

function startsWith (bytes: Buffer, signature: Buffer): boolean {
  return bytes.subarray(0, signature.length).equals(signature)
}
