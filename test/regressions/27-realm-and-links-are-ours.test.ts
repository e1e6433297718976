// Class 27: a poisoned realm or link takes the client's credentials elsewhere.
// distribution's `autoredirect` builds the realm from Host and X-Forwarded-Proto, and
// commit f215e513d binds realms to the upstream's domain; containerd CVE-2020-15157 sent
// credentials to whatever host a manifest named. Realm, service and Basic realm come from
// the configuration alone, and what an upstream says of places never reaches a client.
import t from 'tap'
import { sendRaw } from '../helpers/raw.ts'
import { basic, startTeam } from '../helpers/team.ts'
import { newPassword } from '../helpers/secrets.ts'

const EVIL = 'evil.example.org'
const BEARER = 'Bearer realm="http://charts.example.test/oauth/token",service="charts.example.test"'
const BASIC = 'Basic realm="charts.example.test", charset="UTF-8"'

/** Ways to say that this is another host, scheme, port or path. */
const LIES: readonly (readonly [string, string])[] = [
  ['Host', `Host: ${EVIL}`],
  ['Host with a port', 'Host: charts.example.test:8443'],
  ['a Host that ends the quotes', 'Host: x",realm="http://evil.example.org/'],
  ['no Host', ''],
  ...['X-Forwarded-Host', 'X-Forwarded-Server', 'X-Original-Host', 'X-Host', 'X-HTTP-Host-Override', 'X-Real-Host'].map(name => [name, `Host: x\r\n${name}: ${EVIL}`] as const),
  ['X-Forwarded-Proto', 'Host: x\r\nX-Forwarded-Proto: ftp'],
  ['X-Forwarded-Port', 'Host: x\r\nX-Forwarded-Port: 4444'],
  ['X-Forwarded-Prefix', 'Host: x\r\nX-Forwarded-Prefix: /evil'],
  ['X-Forwarded-Uri', `Host: x\r\nX-Forwarded-Uri: http://${EVIL}/`],
  ['Forwarded', `Host: x\r\nForwarded: host=${EVIL};proto=https;for=127.0.0.1`],
  ['Origin and Referer', `Host: x\r\nOrigin: http://${EVIL}\r\nReferer: http://${EVIL}/`]
]

for (const trusted of [false, true]) {
  await t.test(`realm and service are the configuration's, whatever a request says${trusted ? ', also from a trusted proxy' : ''}`, async t => {
    const password = newPassword()
    const { gateway, token } = await startTeam(t, { people: [{ name: 'alice', password }], config: config => ({ ...config, trustedProxies: trusted ? ['127.0.0.1'] : [] }) })
    for (const [name, headers] of LIES) {
      const ask = async (line: string, more = ''): Promise<Awaited<ReturnType<typeof sendRaw>>> => await sendRaw(gateway.port, `${line} HTTP/1.1\r\n${[headers, more, 'Connection: close'].filter(each => each !== '').join('\r\n')}\r\n\r\n`)
      const answers = [
        await ask('GET /org1/repo1/index.yaml'),
        await ask('GET /org1/repo1/index.yaml', 'Authorization: Bearer wrong'),
        await ask('POST /api/org1/repo1/charts'),
        await ask('GET /oauth/token', `Authorization: ${basic('alice', 'wrong')}`)
      ]
      for (const [i, answer] of answers.entries()) {
        t.notMatch(answer.text, /evil|:8443|:4444|ftp:|https:/, name)
        if (name === 'no Host' || name.startsWith('a Host')) continue // a 400 is an answer as well
        const [first, second] = answer.headers['www-authenticate'] ?? []
        t.equal(answer.status, 401, name)
        if (i === 3) t.equal(first, BASIC)
        else t.ok(first?.startsWith(`${BEARER},scope="artifact-repository:org1/repo1:`) === true && second === BASIC, name, { first, second })
      }
    }
    const { claims } = await token('', { authorization: basic('alice', password), headers: { 'x-forwarded-host': EVIL, 'x-forwarded-proto': 'https' } })
    t.match(claims, { iss: 'http://charts.example.test', aud: 'charts.example.test' }, 'nor does a token say another issuer')
  })
}

await t.test('a target in absolute form names no other host: it is refused', async t => {
  const { gateway, stub } = await startTeam(t, {})
  for (const target of [`http://${EVIL}/org1/repo1/index.yaml`, `https://${EVIL}/oauth/token`, 'http://charts.example.test/org1/repo1/index.yaml', `//${EVIL}/org1/repo1/index.yaml`, `${EVIL}:443`]) {
    for (const method of ['GET', 'HEAD', 'POST']) {
      const answer = await sendRaw(gateway.port, `${method} ${target} HTTP/1.1\r\nHost: charts.example.test\r\nConnection: close\r\n\r\n`)
      t.ok([400, 404].includes(answer.status), `${method} ${target}: ${answer.status}`)
      t.notMatch(answer.text, /evil/)
    }
  }
  t.equal(stub.seen.length, 0)
})

await t.test('where an upstream would send the client is not where the client is sent', async t => {
  const { gateway, stub, ask } = await startTeam(t, {})
  const authorization = `Bearer ${gateway.masterKey}`
  const places = [`http://${EVIL}/`, `//${EVIL}/x`, '/oauth/token', '/org2/repo2/index.yaml', `http://charts.example.test.${EVIL}/`]
  const requests: [string, string][] = [['GET', '/org1/repo1/index.yaml'], ['HEAD', '/org1/repo1/index.yaml'], ['GET', '/org1/repo1/charts/a-1.0.0.tgz'], ['GET', '/api/org1/repo1/charts'], ['DELETE', '/api/org1/repo1/charts/a/1.0.0']]
  for (const place of places) {
    for (const status of [200, 201, 301, 302, 303, 307, 308, 401]) {
      const headers = { location: place, 'content-location': place, refresh: `0; url=${place}`, link: `<${place}>; rel=next`, 'www-authenticate': `Bearer realm="${place}",service="x"`, 'proxy-authenticate': `Basic realm="${place}"`, 'alt-svc': `h2="${EVIL}:443"`, 'set-cookie': `a=b; domain=${EVIL}` }
      stub.answer = () => ({ status, headers, body: 'apiVersion: v1\nentries: {}\n' })
      for (const [method, path] of requests) {
        const answer = await ask(path, { method, authorization })
        const name = `${method} ${path}, ${status} to ${place}`
        t.ok(answer.status < 300 || answer.status >= 400, `${name}: not a redirection`)
        t.strictSame(Object.keys(answer.headers).filter(header => Object.hasOwn(headers, header)), [], name)
        if (status !== 200 && status !== 201) t.equal(answer.status, 502, name)
      }
    }
  }
  t.equal(stub.seen.filter(({ target }) => !target.includes('org1/repo1')).length, 0, 'nor does the gateway go there itself')
})
