import t from 'tap'
import { isOfKubelet } from '../../src/config/kubelet.ts'
import { loadConfig } from '../../src/config/load.ts'

/** What a container gets for the Services chartgate, chartgate-admin and chartgate-chartmuseum. */
const SERVICES: Readonly<Record<string, string>> = {
  CHARTGATE_SERVICE_HOST: '10.96.0.1',
  CHARTGATE_SERVICE_PORT: '80',
  CHARTGATE_SERVICE_PORT_HTTP: '80',
  CHARTGATE_PORT: 'tcp://10.96.0.1:80',
  CHARTGATE_PORT_80_TCP: 'tcp://10.96.0.1:80',
  CHARTGATE_PORT_80_TCP_PROTO: 'tcp',
  CHARTGATE_PORT_80_TCP_PORT: '80',
  CHARTGATE_PORT_80_TCP_ADDR: '10.96.0.1',
  CHARTGATE_ADMIN_PORT: 'tcp://10.96.0.2:5002',
  CHARTGATE_ADMIN_SERVICE_HOST: '10.96.0.2',
  CHARTGATE_CHARTMUSEUM_SERVICE_HOST: 'fd00::1',
  CHARTGATE_CHARTMUSEUM_PORT: 'tcp://[fd00::1]:8080',
  CHARTGATE_CHARTMUSEUM_PORT_8080_UDP: 'udp://[fd00::1]:8080',
  CHARTGATE_CHARTMUSEUM_PORT_8080_UDP_ADDR: 'fd00::1'
}

await t.test('variables of Services are none of ours', async t => {
  for (const [name, text] of Object.entries(SERVICES)) t.equal(isOfKubelet(name, text), true, name)
  t.match(await loadConfig(undefined, SERVICES), { ok: true, config: { admin: { port: 5002 }, listen: { port: 5001 } } })
})

await t.test('any other text in one is a mistake', async t => {
  const cases: [name: string, text: string, mistake: RegExp][] = [
    ['CHARTGATE_PORT', '5001', /^CHARTGATE_PORT: no key of the configuration has this environment variable/],
    ['CHARTGATE_ADMIN_PORT', 'tcp://example.test:80', /^admin\.port: "tcp:\/\/example\.test:80" is not a port number \(from CHARTGATE_ADMIN_PORT\)$/],
    ['CHARTGATE_ADMIN_PORT', 'tcp://[10.96.0.2]:80', /^admin\.port: /],
    ['CHARTGATE_ADMIN_PORT', 'http://10.96.0.2:80', /^admin\.port: /],
    ['CHARTGATE_SERVICE_HOST', 'charts.example.test', /^CHARTGATE_SERVICE_HOST: no key/],
    ['CHARTGATE_SERVICE_PORT', 'eighty', /^CHARTGATE_SERVICE_PORT: no key/],
    ['CHARTGATE_PORT_80_TCP', '80', /^CHARTGATE_PORT_80_TCP: no key/],
    ['CHARTGATE_PORT_80_TCP_PROTO', 'http', /^CHARTGATE_PORT_80_TCP_PROTO: no key/],
    ['CHARTGATE_PORT_80_TCP_PORT', 'x', /^CHARTGATE_PORT_80_TCP_PORT: no key/],
    ['CHARTGATE_PORT_80_TCP_ADDR', 'x', /^CHARTGATE_PORT_80_TCP_ADDR: no key/]
  ]
  for (const [name, text, mistake] of cases) {
    t.equal(isOfKubelet(name, text), false, name)
    t.match(await loadConfig(undefined, { [name]: text }), { ok: false, mistakes: [mistake] }, `${name}=${text}`)
  }
  t.equal(isOfKubelet('OTHER_SERVICE_HOST', '10.96.0.1'), false)
  t.match(await loadConfig(undefined, { CHARTGATE_ADMIN_PORT: '7002' }), { ok: true, config: { admin: { port: 7002 } } })
})

await t.test('without a file a mistake that no variable holds stands nowhere', async t => {
  t.match(await loadConfig(undefined, { CHARTGATE_LISTEN_PORT: '5002' }), { ok: false, mistakes: ['admin.port: 5002 is the port of the public listener too'] })
})

await t.test('a variable that is set to nothing is none, whatever its name', async t => {
  t.match(await loadConfig(undefined, { CHARTGATE_NOPE: '', CHARTGATE_LISTEN_PORT: '', CHARTGATE_MASTER_KEY_FILE: '', CHARTGATE_POLICY: '' }), { ok: true, config: { listen: { port: 5001 }, masterKey: '' } })
})
