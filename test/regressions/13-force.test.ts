// Create and overwrite are two rights: zot CVE-2026-31801 let who could create also
// overwrite. In ChartMuseum the mere presence of `force` in the query overwrites, whatever
// its value (v0.16.5, pkg/chartmuseum/server/multitenant/handlers.go, GetQuery), read as
// Go's net/url reads queries. Method overrides are the same trick in a header.
import t from 'tap'
import { grant } from '../helpers/app.ts'
import { chartOf } from '../helpers/packages.ts'
import { bearer, isRefused, OWN, startTwoTenants, type TwoTenants } from '../helpers/two-tenants.ts'

const CHARTS = `/api/${OWN}/charts`
const chart = await chartOf('mychart', '1.0.0')

// url.ParseQuery finds `force` in each of these
const HONOURED = [
  'force', 'force=', 'force=true', 'force=false', 'force=0', 'force=%ff', 'force=%00', 'a&force', 'a=b&force', 'force&a', '&force', '&&force&&', 'a=1&force=', '%66orce=1', 'f%6Frce', '%66%6f%72%63%65', 'forc%65=x',
  'force&force', 'force=1&force=0', 'x;y&force', '%zz&force', 'a=%&force', '?&force', 'force=a=b', 'force=a/b?c', "force='"
]
// and in none of these
const IGNORED = [
  '', 'FORCE', 'Force=1', 'forcE', 'force;', ';force', 'force;a=b', 'a;force', 'x=force', 'a=%26force', '%26force', 'a%26force=1', '%2566orce', 'force%', 'force%zz', 'force=%', 'force=%zz', 'force%00', 'force%20', 'force+', '+force', '%20force', 'force[]', 'force[]=1', 'xforce', 'forcex', '?force', 'fo\u0433rce',
  'overwrite', 'overwrite=true', '_method=DELETE', '_method=PUT', 'method=delete'
].filter(query => !/[^\x21-\x7e]/.test(query))

/** A repository that holds nothing of it, or already all of it, and saves what it is sent. */
function holds (tenants: TwoTenants, there: boolean): void {
  tenants.stub.answer = ({ method }) => method === 'GET' ? { status: there ? 200 : 404, body: '{"error":"object not found"}' } : { status: 201, body: '{"saved":true}' }
}

await t.test('who may push may not overwrite, in any spelling that ChartMuseum honours', async t => {
  const tenants = await startTwoTenants(t)
  const token = await bearer(tenants.gateway, grant(OWN, 'pull', 'push'))
  const basic = `Basic ${Buffer.from(`ci:${token.replace('Bearer ', '')}`).toString('base64')}`
  for (const there of [true, false]) {
    holds(tenants, there)
    for (const query of HONOURED) {
      for (const path of [CHARTS, `/api/${OWN}/prov`]) {
        for (const [authorization, status] of [[token, 401], [basic, 403]] as const) {
          const answer = await tenants.ask('POST', `${path}?${query}`, { authorization, body: chart })
          isRefused(t, tenants, answer, `${path}?${query}`)
          t.equal(answer.status, status, `${query} by ${authorization.split(' ')[0]}`)
        }
      }
    }
  }
})

await t.test('what ChartMuseum does not honour changes nothing, and is not passed on', async t => {
  const tenants = await startTwoTenants(t)
  const authorization = await bearer(tenants.gateway, grant(OWN, 'pull', 'push'))
  for (const query of IGNORED) {
    const target = `${CHARTS}?${query}`
    holds(tenants, true)
    t.equal((await tenants.ask('POST', target, { authorization, body: chart })).status, 409, `${query} overwrites nothing`)
    t.notOk(tenants.taken().some(({ method }) => method !== 'GET'), query)
    holds(tenants, false)
    t.equal((await tenants.ask('POST', target, { authorization, body: chart })).status, 201, `${query} pushes`)
    t.equal(tenants.taken().at(-1)?.target, CHARTS, `${query} is dropped`)
  }
})

await t.test('who may overwrite is asked for it, and the upstream hears one spelling', async t => {
  const tenants = await startTwoTenants(t)
  holds(tenants, true)
  const overwrite = await bearer(tenants.gateway, grant(OWN, 'overwrite'))
  for (const query of HONOURED) {
    t.equal((await tenants.ask('POST', `${CHARTS}?${query}`, { authorization: overwrite, body: chart })).status, 201, query)
    // What is in the place is looked at, and nothing but that is asked.
    t.same(tenants.taken().filter(({ method }) => method !== 'GET').map(({ method, target }) => `${method} ${target}`), [`POST ${CHARTS}?force`], query)
  }
})

await t.test('no header and no method turns a push into a delete or an overwrite', async t => {
  const tenants = await startTwoTenants(t)
  const authorization = await bearer(tenants.gateway, grant(OWN, 'pull', 'push'))
  for (const header of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'X_HTTP_METHOD_OVERRIDE', 'X-Force', 'Force', 'Overwrite', 'If-Match', 'If-None-Match']) {
    for (const value of ['DELETE', 'PUT', 'true', '*']) {
      const headers = [`${header}: ${value}`]
      holds(tenants, true)
      t.equal((await tenants.ask('POST', CHARTS, { authorization, headers, body: chart })).status, 409, `${header}: ${value} overwrites nothing`)
      tenants.taken()
      holds(tenants, false)
      t.equal((await tenants.ask('POST', CHARTS, { authorization, headers, body: chart })).status, 201, `${header}: ${value} pushes`)
      const [last] = tenants.taken().slice(-1)
      t.same([last?.method, last?.target, last?.headers[header.toLowerCase()]], ['POST', CHARTS, undefined], `${header} stays behind`)
      isRefused(t, tenants, await tenants.ask('POST', `${CHARTS}/mychart/1.0.0`, { authorization, headers }), `POST to a version with ${header}: ${value}`)
    }
  }
  for (const method of ['DELETE', 'PUT', 'PATCH', 'POST', 'delete', 'MERGE']) {
    for (const query of ['', '?_method=POST', '?force']) isRefused(t, tenants, await tenants.ask(method, `${CHARTS}/mychart/1.0.0${query}`, { authorization }), `${method}${query}`)
  }
})
