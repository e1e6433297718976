// The keys of `tokens`: what they say, and whose signatures count.
import { flag, list, mapping, oneOf, text } from '../../files/nodes.ts'
import { DURATION_FORM } from '../../files/units.ts'
import { OWN_ALGORITHMS } from '../../tokens/keys.ts'
import type { KeyState } from '../../tokens/ring.ts'
import { line, nameIn, value } from './kinds.ts'

const Key = mapping({
  file: text({
    minLength: 1,
    description: 'a private key in PEM; for `verify` the public one is enough',
    expected: 'a file'
  }),
  alg: oneOf(OWN_ALGORITHMS, { description: 'what it is for: RS256 is RSA, ES256 is P-256, EdDSA is Ed25519' }),
  state: oneOf<KeyState>(['active', 'verify', 'retired'], {
    description: '`active` signs, `verify` is only verified and published, `retired` is neither'
  })
}, { expected: 'a key with file, alg and state' })

const IssuerNode = mapping({
  name: nameIn('issuer:NAME/SUB')
}, { expected: 'an issuer with name, and publicKey, jwksFile or jwksUrl' }, {
  publicKey: line('a file with its public key or certificate in PEM'),
  jwksFile: line('a file with its keys as a JSON Web Key Set'),
  jwksUrl: line('where it publishes its keys; https, or http on loopback'),
  issuer: line('what `iss` has to be'),
  audience: line('what `aud` has to name'),
  clockSkew: text({
    pattern: `^0s$|${DURATION_FORM}`,
    description: 'how much its clock may differ from ours; 10s if left out',
    expected: 'a duration of at most 5m, such as 10s'
  }),
  pushIncludes: list(oneOf(['overwrite', 'delete'], { description: 'what' }), {
    description: 'what its `push` means beyond storing a new version',
    expected: 'a list of overwrite, delete'
  }),
  oci: flag({
    description: 'its tokens open the registry at /v2/ too, and not the chart repository alone',
    expected: 'true or false'
  })
})

export const tokens = mapping({
  ttl: value('lifetime of a token', '5m', {
    pattern: DURATION_FORM,
    expected: 'a duration of at least 60s, such as 5m'
  }),
  issuer: value('`iss` of tokens; default: publicUrl', ''),
  service: value('`aud` of tokens and the service of challenges; default: host and port of publicUrl', ''),
  keys: list(Key, {
    description: 'keys of your own for tokens, one of them active; ' +
      'none: keys are made and rotated in stateDir/keys',
    default: [],
    expected: 'a list of keys with file, alg and state'
  }),
  issuers: list(IssuerNode, {
    description: 'token servers of others whose access claim counts',
    default: [],
    expected: 'a list of issuers with name, and publicKey, jwksFile or jwksUrl'
  })
})
