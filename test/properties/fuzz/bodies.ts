// What is uploaded: archives, provenance files and forms that are right, that name
// another place than they may, or that are broken. Made once; cases pick from them.
import { gzipSync } from 'node:zlib'
import { archiveOf, chartOf, chartYaml, formOf, provenanceOf } from '../../helpers/packages.ts'

export interface Body { readonly contentType: string, readonly bytes: Buffer }

/** Names and versions that would leave the tenant's folder, or stand for another file in it. */
const EVIL: readonly (readonly [name: string, version: string])[] = [
  ['../../org2/repo2/mychart', '0.1.0'], ['..', '0.1.0'], ['.', '0.1.0'], ['a/b', '0.1.0'], ['a\\b', '0.1.0'], ['/etc/mychart', '0.1.0'],
  ['mychart', '0.1.0/../../../org2/repo2/x'], ['mychart', '../1.0.0'], ['mychart', '1'], ['../mychart', '0.1.0'], ['..%2fmychart', '0.1.0']
]

/** @returns more right ones than wrong ones, so that a case often gets through */
export async function makeBodies (): Promise<readonly Body[]> {
  const octets = (bytes: Buffer | string, contentType = 'application/octet-stream'): Body => ({ contentType, bytes: Buffer.from(bytes) })
  const form = (...parts: Parameters<typeof formOf>): Body => {
    const { contentType, body } = formOf(...parts)
    return { contentType, bytes: body }
  }
  const right = await chartOf('fresh', '1.2.3')
  const known = await chartOf('mychart', '0.1.0')
  const prov = provenanceOf('fresh', '1.2.3')
  const good = [
    octets(right), octets(known), octets(await chartOf('built', '1.2.3+build.5')), octets(await chartOf('v', 'v2.0')), octets(prov, 'text/plain'),
    form([{ field: 'chart', body: right, filename: 'fresh-1.2.3.tgz' }]),
    form([{ field: 'chart', body: right, filename: '../../org2/repo2/fresh-1.2.3.tgz' }, { field: 'prov', body: prov, filename: 'x' }]),
    form([{ field: 'prov', body: prov, filename: 'fresh-1.2.3.tgz.prov' }])
  ]
  const evil: Body[] = []
  for (const [name, version] of EVIL) {
    const archive = await archiveOf([{ name: 'x/Chart.yaml', body: chartYaml(JSON.stringify(name), version) }])
    const signed = provenanceOf(name, version)
    evil.push(octets(archive), octets(signed), form([{ field: 'chart', body: right, filename: 'a' }, { field: 'prov', body: signed, filename: 'b' }]), form([{ field: 'chart', body: archive, filename: 'a' }]))
  }
  const broken = [
    octets(''), octets('no archive'), octets(gzipSync('no tar')), octets(right.subarray(0, right.length >> 1)),
    octets(await archiveOf([{ name: '../../org2/repo2/Chart.yaml', body: chartYaml('x', '1.0.0') }])),
    octets(await archiveOf([{ name: 'x/Chart.yaml', body: chartYaml('x', '1.0.0') }, { name: 'x/Chart.yaml', body: chartYaml('y', '1.0.0') }])),
    octets(await archiveOf([{ name: 'x/Chart.yaml', type: 'symlink', linkname: '../../org2/repo2/mychart-0.1.0.tgz' }])),
    octets(right, 'multipart/form-data'), octets(right, 'Multipart/Form-Data; boundary=test-boundary'), octets(right, 'multipart/form-data; boundary='),
    form([{ field: 'chart', body: right, filename: 'a' }, { field: 'chart', body: known, filename: 'b' }]),
    form([{ field: 'chart', body: right }]), form([{ field: 'repo', body: 'org2/repo2' }, { field: 'chart', body: right, filename: 'a' }]),
    form([{ field: 'chart', body: right, filename: 'a' }], { closed: false })
  ]
  return [...good, ...good, ...good, ...evil, ...broken]
}

/** What a stored body says it is, as a sloppy reader of the form finds it. */
export function namesIn (tarOrText: string): string[] {
  return [...tarOrText.matchAll(/^(?:name|version): *(.*)$/gm)].map(match => (match[1] as string).replaceAll('"', ''))
}
