// Whose jobs have an identity here, and what may they do?
import { anyOf, flag, integer, list, mapping, mappingOf, oneOf, text, type Node } from '../../files/nodes.ts'
import { DURATION_FORM } from '../../files/units.ts'
import { FEDERATION_KINDS } from '../../identity/federation/kinds.ts'
import { NAME_FORM } from '../../words/subject.ts'
import { line, nameIn } from './kinds.ts'
import { actionList, patternList } from './rights.ts'

const ProviderNode = mapping({
  name: nameIn('the rules name it, and the log'),
  issuer: line('`iss` of its tokens, to the letter; where its keys are found, unless jwksUrl or jwksFile says so'),
  kind: oneOf(FEDERATION_KINDS, { description: 'what its tokens say, and so what a rule has to' }),
  audience: line('what `aud` has to be: a name that tokens for nobody else have')
}, { expected: 'a provider with name, issuer, kind and audience' }, {
  jwksUrl: line('where it publishes its keys; https, or http on loopback'),
  jwksFile: line('a file with its keys as a JSON Web Key Set'),
  ca: line('a file with the certificate authorities that issuer or jwksUrl has its certificate of'),
  tokenFile: line('a file with a token that is sent to jwksUrl as Bearer, and nowhere else'),
  clockSkew: text({
    pattern: `^0s$|${DURATION_FORM}`,
    description: 'how much its clock may differ from ours; 10s if left out',
    expected: 'a duration of at most 5m, such as 10s'
  }),
  exchangeOnce: flag({
    description: 'its tokens get in nowhere but at /oauth/token, each once; false if left out',
    expected: 'true or false'
  })
})

type Scalar = string | number | boolean

const scalar: Node<Scalar> = anyOf<Scalar>([
  text({ minLength: 1 }), integer({}), flag({})
], { expected: 'a text, a whole number, true or false' })

const values: Node<Scalar | Scalar[]> = anyOf<Scalar | Scalar[]>([
  text({ minLength: 1 }), integer({}), flag({}), list(scalar, { minItems: 1, expected: 'a list of values' })
], { expected: 'a value or a list of them' })

const RuleNode = mapping({
  provider: line('the name of a provider'),
  match: mappingOf('^[A-Za-z0-9._/-]{1,100}$', values, {
    description: 'by claim: the value that it has to have, or a list of which one will do',
    expected: 'a mapping of claims to values'
  }),
  subject: line('how its jobs are called, with claims in braces: ci:github:{repository}')
}, { expected: 'a rule with provider, match and subject' }, {
  groups: list(text({ pattern: NAME_FORM, expected: 'the name of a group' }), {
    description: 'groups that they are in: policy says what those may do',
    expected: 'a list of groups'
  }),
  repositories: patternList(),
  actions: actionList('what they may do there'),
  maxLifetime: text({
    pattern: DURATION_FORM,
    description: 'how long after its issue a token counts, whatever it says; 1h if left out',
    expected: 'a duration from 1m to 24h, such as 1h'
  })
})

export const federation = mapping({
  providers: list(ProviderNode, {
    description: 'CI platforms and clusters that give their jobs a token each (docs/ci.md)',
    default: [],
    expected: 'a list of providers with name, issuer, kind and audience'
  }),
  rules: list(RuleNode, {
    description: 'which of those jobs are let in, and what they may do; the first that fits counts',
    default: [],
    expected: 'a list of rules with provider, match and subject'
  })
})
