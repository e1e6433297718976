import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { ACTIONS } from '../../src/words/access.ts'
import { parseScopes } from '../../src/words/scope.ts'
import { basicChallenge, challenges, quote, type ChallengeError } from '../../src/http/challenge.ts'

const SOURCE = { realm: 'http://localhost:5001/oauth/token', service: 'localhost:5001' }
const BASIC = 'Basic realm="localhost:5001", charset="UTF-8"'
const ACCESS = { type: 'artifact-repository', name: 'org1/repo1', action: 'pull' } as const

await t.test('the challenge is, byte for byte, the one of the walkthrough', async t => {
  t.strictSame(challenges(SOURCE, ACCESS), ['Bearer realm="http://localhost:5001/oauth/token",service="localhost:5001",scope="artifact-repository:org1/repo1:pull"', BASIC])
})

await t.test('it says what was wrong only when something came, and a scope only when there is one', async t => {
  const start = 'Bearer realm="http://localhost:5001/oauth/token",service="localhost:5001"'
  t.strictSame(challenges(SOURCE, undefined), [start, BASIC])
  t.strictSame(challenges(SOURCE, undefined, 'invalid_token'), [`${start},error="invalid_token"`, BASIC])
  t.strictSame(challenges(SOURCE, { ...ACCESS, action: 'overwrite' }, 'insufficient_scope'), [`${start},scope="artifact-repository:org1/repo1:overwrite",error="insufficient_scope"`, BASIC])
  t.equal(basicChallenge(SOURCE), BASIC)
})

await t.test('quotes and backslashes are escaped', async t => {
  const cases: [string, string][] = [['', '""'], ['a', '"a"'], ['a"b', '"a\\"b"'], ['a\\b', '"a\\\\b"'], ['\\"', '"\\\\\\""'], ['a,b=c', '"a,b=c"']]
  for (const [value, expected] of cases) t.equal(quote(value), expected)
})

/** Reads a challenge as RFC 9110 section 11.6.1 has it, and refuses everything else. */
function readChallenge (text: string): { scheme: string, parameters: Record<string, string> } {
  const space = text.indexOf(' ')
  const parameters: Record<string, string> = {}
  let rest = text.slice(space + 1)
  while (rest !== '') {
    const match = /^([a-z]+)="((?:[^"\\]|\\.)*)"(?:, ?(?=[a-z])|$)/s.exec(rest)
    if (match === null) throw new Error(`not a challenge: ${rest}`)
    parameters[match[1] as string] = (match[2] as string).replace(/\\(.)/gs, '$1')
    rest = rest.slice(match[0].length)
  }
  return { scheme: text.slice(0, space), parameters }
}

await t.test('whatever is quoted is read back, and no value can start another parameter', async t => {
  const value = fc.oneof(fc.string(), fc.array(fc.constantFrom('"', '\\', ',', '=', ' ', 'error', 'a')).map(parts => parts.join('')))
  fc.assert(fc.property(value, value, value, fc.constantFrom(...ACTIONS), fc.constantFrom<ChallengeError | undefined>(undefined, 'invalid_token', 'insufficient_scope'), (realm, service, name, action, error) => {
    const [bearer = '', basic = '', ...more] = challenges({ realm, service }, { type: 'artifact-repository', name, action }, error)
    t.strictSame(more, [])
    t.strictSame(readChallenge(bearer), { scheme: 'Bearer', parameters: { realm, service, scope: `artifact-repository:${name}:${action}`, ...(error === undefined ? {} : { error }) } })
    t.strictSame(readChallenge(basic), { scheme: 'Basic', parameters: { realm: service, charset: 'UTF-8' } })
  }), { numRuns: 50 })
})

await t.test('the scope of a challenge is read at the token endpoint as the right that was missing, and no more', async () => {
  const segment = fc.stringMatching(/^[b-z0-9][a-z0-9._-]{0,9}$/).filter(name => !/^(?:static|(?:v2|oauth|health|info|metrics)$)/.test(name))
  const name = fc.tuple(segment, segment).map(parts => parts.join('/'))
  fc.assert(fc.property(name, fc.constantFrom(...ACTIONS), (name, action) => {
    const [bearer = ''] = challenges(SOURCE, { type: 'artifact-repository', name, action }, 'insufficient_scope')
    const { scope = '' } = readChallenge(bearer).parameters
    return isDeepStrictEqual(parseScopes([scope], 2), { ok: true, grants: [{ type: 'artifact-repository', name, actions: [action] }] })
  }))
})
