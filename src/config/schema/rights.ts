// Whom certificates stand for, and who may do what.
import { list, mapping, oneOf, text, type Node } from '../../files/nodes.ts'
import { ACTIONS, type Action } from '../../words/access.ts'
import { NAME_FORM, SUBJECT_FORM } from '../../words/subject.ts'
import { line, nameIn } from './kinds.ts'

const CertificateNode = mapping({
  name: nameIn('cert:NAME')
}, { expected: 'a certificate with name, and subject, dns, email, uri or ip' }, {
  subject: line('the whole subject of the certificate, as RFC 4514 writes it: CN=ci,OU=Build,O=Example'),
  dns: line('a DNS name among its alternative names'),
  email: line('a mail address among its alternative names'),
  uri: line('a URI among its alternative names, such as a SPIFFE ID'),
  ip: line('an IP address among its alternative names; not where it comes from'),
  groups: list(text({ pattern: NAME_FORM, expected: 'the name of a group' }), {
    description: 'the groups that it is in',
    expected: 'a list of groups'
  })
})

const SEGMENT = '([A-Za-z0-9][A-Za-z0-9._-]*|\\*)'

export const patternList = (): Node<string[]> => list(text({
  pattern: `^(${SEGMENT}/)*(${SEGMENT}|\\*\\*)$`,
  expected: 'a tenant pattern such as team-a/* (whole segments: * is one, ** is the rest)'
}), {
  minItems: 1,
  description: 'tenant patterns: whole segments, `*` is one, `**` is the rest',
  expected: 'a list of tenant patterns'
})

export const actionList = (description: string): Node<Action[]> => list(oneOf<Action>(ACTIONS, {
  description: 'what'
}), {
  minItems: 1,
  description,
  expected: `a list of ${ACTIONS.join(', ')}`
})

const Rule = mapping({
  repositories: patternList(),
  subjects: list(text({
    pattern: SUBJECT_FORM,
    expected: 'a subject: user:NAME, group:NAME, robot:NAME, cert:NAME, anonymous or authenticated ' +
      '(what jobs may do, ci:…, is said by federation.rules alone)'
  }), {
    minItems: 1,
    description: 'who the rule is for',
    expected: 'a list of subjects: user:NAME, group:NAME, robot:NAME, cert:NAME, anonymous, authenticated'
  }),
  actions: actionList('what they may do')
}, { expected: 'a rule with repositories, subjects and actions' })

export const identity = mapping({
  certificates: list(CertificateNode, {
    description: 'whom certificates of clients stand for (listen.tls.clientCa); the first that fits counts',
    default: [],
    expected: 'a list of certificates with name, and subject, dns, email, uri or ip'
  })
})

export const policy = list(Rule, {
  description: 'rules; they only add, and what `anonymous` may do everyone may',
  default: [],
  expected: 'a list of rules'
})
