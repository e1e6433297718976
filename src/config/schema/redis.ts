// The keys of Redis or Valkey, which several chartgates share.
import { mapping } from '../../files/nodes.ts'
import { file, value } from './kinds.ts'

export const redis = mapping({
  url: value(
    'Redis or Valkey for what several chartgates share (docs/scaling.md), for example redis://redis:6379, or ' +
    'rediss:// over TLS; a path is the number of a database; left out: each is alone',
    '',
    { expected: 'a redis or rediss URL without user and password' }
  ),
  username: value('who it is asked as; left out: its default user', ''),
  password: value('the password of that user', '', { secret: true }),
  tls: mapping({
    ca: file('certificate authorities in PEM that its certificate has to be of; left out: those that Node.js knows'),
    cert: file('a certificate in PEM to show it'),
    key: file('the private key of that certificate in PEM, without a password')
  })
})
