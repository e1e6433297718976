import { join } from 'node:path'
import t from 'tap'
import { loadConfig, type ConfigResult } from '../../src/config/load.ts'
import { testFolder } from '../helpers/folder.ts'

async function load (text: string): Promise<ConfigResult> {
  return await loadConfig(join(testFolder(t, { 'chartgate.yaml': text }), 'chartgate.yaml'), {})
}

async function mistakes (text: string): Promise<string[]> {
  const result = await load(text)
  return result.ok ? [] : result.mistakes.map(mistake => mistake.replace(/^\S*chartgate\.yaml:\d+:\d+: /, ''))
}

const PROXIES = 'trustedProxies: [127.0.0.1]'

await t.test('without a port nobody asks, whatever else is there', async t => {
  for (const text of ['', 'authz: { dialect: nginx }', `authz: { dialect: nginx, ${PROXIES} }`, 'authz: { listen: { host: "::1" }, push: true }', 'authz:']) {
    const result = await load(text)
    t.equal(result.ok && result.config.authz, undefined, text)
  }
})

await t.test('with a port it is as it is written', async t => {
  t.match(await load(`authz: { listen: { port: 5003 }, ${PROXIES}, dialect: gateway-api, push: true }`), {
    ok: true, config: { authz: { listen: { host: '127.0.0.1', port: 5003 }, trustedProxies: ['127.0.0.1'], dialect: 'gateway-api', push: true } }
  })
  t.match(await load(`authz: { listen: { port: 5001, host: "::1" }, ${PROXIES}, dialect: nginx }\npublicUrl: https://x.test/helm\ncharts: { contextPath: /helm }`), { ok: true, config: { basePath: '/helm' } })
})

await t.test('a port without proxies or without a dialect does not start', async t => {
  t.same(await mistakes('authz: { listen: { port: 5003 } }'), [
    'authz.trustedProxies: nobody may ask: name the addresses or CIDRs of the proxies that do',
    'authz.dialect: which proxy asks? One of nginx, traefik, caddy, envoy, gateway-api'
  ])
  t.same(await mistakes('authz: { listen: { port: 5003 }, trustedProxies: [nowhere, 0.0.0.0/0, "::/0", 10.0.0.0/10], dialect: ours }'), [
    'authz.dialect: "ours" is not one of none, nginx, traefik, caddy, envoy, gateway-api',
    'authz.trustedProxies[0]: "nowhere" is not an IP address or CIDR'
  ])
  t.same(await mistakes('authz: { listen: { port: 5003 }, trustedProxies: [0.0.0.0/0, "::/0", 10.0.0.0/10], dialect: envoy }'), [
    'authz.trustedProxies[0]: "0.0.0.0/0" is everybody: name the proxies',
    'authz.trustedProxies[1]: "::/0" is everybody: name the proxies'
  ])
  for (const text of ['authz: 1', 'authz: []', 'authz: { listen: 3 }', 'authz: { listen: { port: x } }', 'authz: { trustedProxies: 1, listen: { port: 1 } }']) t.not((await mistakes(text)).length, 0, text)
})

await t.test('its port is that of no other listener', async t => {
  t.same(await mistakes(`authz: { listen: { port: 5001 }, ${PROXIES}, dialect: nginx }`), ['authz.listen.port: 5001 is the port of the public listener too'])
  t.same(await mistakes(`authz: { listen: { port: 5002 }, ${PROXIES}, dialect: nginx }`), ['authz.listen.port: 5002 is the port of the admin listener too'])
})

await t.test('the repository has its paths where the gateway has them', async t => {
  const authz = `authz: { listen: { port: 5003 }, ${PROXIES}, dialect: nginx }`
  t.match(await mistakes(`${authz}\npublicUrl: https://x.test/helm/`), [/^authz\.listen\.port: .* charts\.contextPath is "", and the path of publicUrl "\/helm"$/])
  t.match(await mistakes(`${authz}\ncharts: { contextPath: /helm }`), [/charts\.contextPath is "\/helm", and the path of publicUrl ""$/])
  t.match(await mistakes(`${authz}\ncharts: { contextPath: helm }`), [/^charts\.contextPath: /], 'one mistake is said once')
  t.match(await mistakes(`${authz}\npublicUrl: ftp://x`), [/^publicUrl: /])
})

await t.test('the demo\'s key is for loopback here too', async t => {
  t.match(await mistakes(`masterKey: MASTERKEY\nauthz: { listen: { port: 5003, host: 0.0.0.0 }, ${PROXIES}, dialect: nginx }`), [/^masterKey: the demo's key works on loopback only, and authz\.listen\.host is "0\.0\.0\.0"/])
})
