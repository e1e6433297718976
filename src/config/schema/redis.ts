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
  sentinel: value(
    'the name of a master: Sentinels are at redis.url, several as redis://a:26379,b:26379, and are asked where it ' +
    'is; left out: Redis itself is there',
    '',
    { expected: 'a name such as mymaster', pattern: '^[A-Za-z0-9._-]*$' }
  ),
  username: value('who it is asked as; left out: its default user', ''),
  password: value('the password of that user', '', { secret: true }),
  tls: mapping({
    ca: file('certificate authorities in PEM that its certificate has to be of; left out: those that Node.js knows'),
    cert: file('a certificate in PEM to show it'),
    key: file('the private key of that certificate in PEM, without a password')
  })
})
