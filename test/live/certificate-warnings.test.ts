// Certificates that end soon, and a URL that does not work, are spoken of.
import { join } from 'node:path'
import t from 'tap'
import { certificatesCheck, certificateWarnings, schemeWarnings } from '../../src/live/certificate-warnings.ts'
import { tlsOfData } from '../../src/live/live-tls.ts'
import { beginOf, endOf } from '../../src/tls/material.ts'
import { testConfig } from '../helpers/app.ts'
import { Authority } from '../helpers/certificates.ts'
import { testFolder } from '../helpers/folder.ts'

const authority = Authority.make(join(testFolder(t), 'ca'))
const own = authority.issue()
const tls = tlsOfData([{ key: 'listen.tls', files: { cert: '/tls.crt', key: '/tls.key' }, texts: { cert: own.certText, key: own.keyText } }])

await t.test('two weeks before its end a certificate is spoken of', async t => {
  const shown = tls.parts[0]?.live.current.own
  if (shown === undefined) throw new Error('it is there')
  const end = endOf(shown)
  t.ok(beginOf(shown) < end - 15 * 86_400)
  t.strictSame(certificateWarnings(tls, end - 15 * 86_400), [])
  t.match(certificateWarnings(tls, end - 13 * 86_400), [/^listen\.tls: the certificate in \/tls\.crt ends at .*Z: put a new one in its place before that$/])
  t.strictSame(await certificatesCheck(tls, () => end).look(), certificateWarnings(tls, end), 'also to who asks whether it is ready')
  t.match(certificateWarnings(tls, end), [/^listen\.tls: the certificate in \/tls\.crt ended at .*Z: put a new one in its place$/])
  const authorities = tlsOfData([{ key: 'listen.tls', files: { ca: '/ca.crt' }, texts: { ca: authority.certText } }])
  t.match(certificateWarnings(authorities, end + 86_400), [/^listen\.tls: the authority "O=Lab, CN=Lab Root" in \/ca\.crt ended at/])
})

await t.test('a publicUrl of http is a warning where clients speak TLS', t => {
  const config = testConfig('/nowhere', undefined)
  const secure = { ...config, listen: { ...config.listen, tls: { cert: '/tls.crt', key: '/tls.key', minVersion: '1.2' as const } } }
  t.strictSame(schemeWarnings(config), [])
  t.match(schemeWarnings(secure), [/^publicUrl: it is http, and the public listener speaks TLS/])
  t.strictSame(schemeWarnings({ ...secure, publicUrl: 'https://charts.example.test' }), [])
  t.end()
})
