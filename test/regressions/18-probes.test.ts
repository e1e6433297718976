// Class 18, probe bypass: what lets a health check in lets everybody in who looks like
// one. oauth2-proxy GHSA-5hvv-m4w4-gf6v (the User-Agent of a health check opened every
// path). Beside it: what is for probes and operators is not on the public listener.
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { askRaw } from '../helpers/raw.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'

const AGENTS = ['kube-probe/1.34', 'GoogleHC/1.0', 'ELB-HealthChecker/2.0', 'Blackbox Exporter/0.27.0', 'Prometheus/3.0', 'Consul Health Check', 'Amazon-Route53-Health-Check-Service', 'Edge Health Probe', 'Load Balancer Agent', 'healthcheck', '']
const PRIVATE = ['GET /org1/repo1/index.yaml', 'GET /org1/repo1/charts/a-1.0.0.tgz', 'GET /api/org1/repo1/charts', 'POST /api/org1/repo1/charts', 'DELETE /api/org1/repo1/charts/a/1.0.0']
const OPERATORS = ['/healthz', '/readyz', '/livez', '/ping', '/ready', '/metrics', '/debug/pprof/', '/status', '/api/health', '/health/', '/health/x', '/healthz/org1/repo1/index.yaml', '/static/x', '/index.yaml']

const stub = await startStubUpstream(t)
stub.answer = () => ({ body: 'hello' })
const gateway = await startApp(t, { origin: stub.origin })

await t.test('a probe\'s User-Agent opens nothing', async t => {
  stub.seen.length = 0
  for (const agent of AGENTS) {
    for (const line of PRIVATE) t.equal((await askRaw(gateway.port, `${line} HTTP/1.1\r\nHost: x\r\nUser-Agent: ${agent}\r\n\r\n`)).status, 401, `${line} ${agent}`)
  }
  t.same(stub.seen, [])
})

await t.test('nothing for operators is on the public listener, with or without every right', async t => {
  stub.seen.length = 0
  for (const path of OPERATORS) {
    for (const headers of ['', 'User-Agent: kube-probe/1.34\r\n', `Authorization: Bearer ${gateway.masterKey}\r\n`]) {
      const { status } = await askRaw(gateway.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`)
      t.ok([400, 404].includes(status), `${path} ${headers.replace(/Bearer .*/, 'with every right')}`, { status })
    }
  }
  t.same(stub.seen, [])
})

await t.test('health and info are the gateway\'s own, and say nothing of the upstream', async t => {
  stub.seen.length = 0
  for (const [path, body] of [['/health', '{"healthy":true}'], ['/info', '{"version":"0.0.0-test"}']]) {
    t.equal((await askRaw(gateway.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)).body, body)
  }
  t.same(stub.seen, [])
})
