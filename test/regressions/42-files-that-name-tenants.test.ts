// File names as names of tenants, at depth dynamic: a folder `x-1.0.0.tgz` below a tenant
// keeps that version of it away for ever, and tells whether it is there. And an upstream
// that cleans up after half an upload by the name of the file, without the tenant: so a
// chart and its provenance are sent as two requests, and what is undone is our own.
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { chartOf, formOf, provenanceOf } from '../helpers/packages.ts'
import { overEachBuilt, overEachRepository, type Answered, type Repository } from '../helpers/repositories.ts'
import type { Fault } from '../helpers/faulty-upstream.ts'
import { until } from '../helpers/until.ts'

const NAMES = ['x-1.0.0.tgz', 'x-1.0.0.tgz.prov', 'index-cache.yaml', 'X-1.0.0.TGZ', 'x.Tgz.PROV', 'Index-Cache.YAML']
const FILE = 'x-1.0.0.tgz'

/** A chart of these bytes, and a provenance file that speaks of it. */
interface Pair { readonly chart: Buffer, readonly prov: string }

async function pairOf (word: string): Promise<Pair> {
  const chart = await chartOf('x', '1.0.0', [{ name: 'x/README.md', body: word }])
  return { chart, prov: provenanceOf('x', '1.0.0').replace('sha256:0000', `sha256:${createHash('sha256').update(chart).digest('hex')}`) }
}

const [FIRST, SECOND] = [await pairOf('first'), await pairOf('second')]

async function push ({ ask }: Repository, tenant: string, { chart, prov }: Partial<Pair>, query = ''): Promise<Answered> {
  const { body, contentType } = formOf([...(chart === undefined ? [] : [{ field: 'chart', filename: 'x', body: chart }]), ...(prov === undefined ? [] : [{ field: 'prov', filename: 'x', body: prov }])])
  return await ask('POST', `/api/${tenant}/charts${query}`, body, contentType)
}

/** Which of the pairs lies there: `chart prov`, `-` for what is missing. */
async function stored ({ storage }: Repository, tenant: string): Promise<string> {
  const [chart, prov] = await Promise.all(['', '.prov'].map(async end => await readFile(join(storage, tenant, FILE + end)).catch(() => undefined)))
  const name = (bytes: Buffer | undefined, of: (pair: Pair) => Buffer | string): string =>
    bytes === undefined ? '-' : bytes.equals(Buffer.from(of(FIRST))) ? 'first' : bytes.equals(Buffer.from(of(SECOND))) ? 'second' : 'other'
  return `${name(chart, pair => pair.chart)} ${name(prov, pair => pair.prov)}`
}

await t.test('what is named like a file is no tenant, in paths and in scopes', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    const { ask, between, depth, gateway, origin } = repository
    for (const name of NAMES) {
      for (const tenant of [`team-a/${name}`, `${name}/team-a`, ...(depth === 'dynamic' ? [name, `team-a/${name}/b`] : [])]) {
        for (const [method, path] of [['GET', `/${tenant}/index.yaml`], ['GET', `/${tenant}/charts/y-1.0.0.tgz`], ['GET', `/api/${tenant}/charts`], ['POST', `/api/${tenant}/charts`], ['POST', `/api/${tenant}/prov`], ['DELETE', `/api/${tenant}/charts/y/1.0.0`]] as const) {
          const { status, error } = await ask(method, path, method === 'POST' ? FIRST.chart : undefined)
          t.equal(status, 400, `${method} ${path}`)
          t.match(error, /named like a file/)
        }
        const scope = `artifact-repository:${tenant}:pull,push`
        const token = await fetch(`${gateway.url}/oauth/token?scope=${encodeURIComponent(scope)}`, { headers: { authorization: `Basic ${Buffer.from(`x:${gateway.masterKey}`).toString('base64')}` } })
        t.match(await token.json(), { scope: '' }, scope)
        if (repository.name.startsWith('the embedded')) t.equal((await fetch(`${origin}/${tenant}/index.yaml`)).status, 404, 'the embedded repository knows no such tenant either')
      }
    }
    t.same(between.seen, [])
    t.equal((await push(repository, 'team-a/b', FIRST)).status, 201)
    t.equal(await stored(repository, 'team-a/b'), 'first first')
  })
})

await t.test('half an upload that cannot be finished takes nothing of another tenant away', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    const { storage, ask, depth } = repository
    // The root tenant's, and what an earlier gateway let somebody make in the place of a provenance file.
    if (depth === 'dynamic') t.equal((await ask('POST', '/api/charts', SECOND.chart)).status, 201)
    else await writeFile(join(storage, FILE), SECOND.chart)
    await mkdir(join(storage, `team-a/b/${FILE}.prov`), { recursive: true })
    const { status, error } = await push(repository, 'team-a/b', FIRST)
    t.ok(status >= 400, error)
    t.match(error, 'neither the chart nor its provenance is stored')
    t.equal(await stored(repository, ''), 'second -', 'the chart of the root tenant stays')
    t.equal(await stored(repository, 'team-a/b'), '- -')
  })
})

/** Every way in which the second request fails, what it is answered with, and whether it was done all the same. */
const FAULTS = [['500', 502], ['cut', 502], ['lost', 201]] as const

await t.test('of a new pair whose second half fails nothing is left, and the next try stores it', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    const { between } = repository
    for (const query of ['', '?force']) {
      for (const [fault, expected] of FAULTS) {
        const tenant = `team-a/${fault}${query.slice(1)}`
        const what = `${fault} ${query}`
        between.fault = request => request.startsWith(`POST /api/${tenant}/prov`) ? fault : undefined
        const { status, error } = await push(repository, tenant, FIRST, query)
        t.equal(status, expected, `${what}: ${error}`)
        if (status === 502) t.match(error, /neither the chart nor its provenance is stored/, what)
        t.equal(await stored(repository, tenant), status === 201 ? 'first first' : '- -', what)
        between.fault = () => undefined
        if (status === 502) t.equal((await push(repository, tenant, FIRST, query)).status, 201, what)
        t.equal(await stored(repository, tenant), 'first first', what)
      }
    }
  })
})

await t.test('what cannot be undone is said, and repeating the pair completes it', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    const { between, ask } = repository
    for (const fault of ['500', 'cut', 'dead'] as const) {
      const tenant = `team-a/${fault}`
      between.fault = request => request.startsWith(`POST /api/${tenant}/prov`) ? fault : request.startsWith('DELETE') ? '500' : undefined
      const { status, error } = await push(repository, tenant, FIRST)
      t.equal(status, 502, fault)
      if (fault === 'dead') {
        t.match(error, /it is not known what of it is stored/)
        t.equal(await stored(repository, tenant), 'first -')
        return // and nobody can ask it again
      }
      t.match(error, /the chart is stored, its provenance is not: send it again/)
      t.equal(await stored(repository, tenant), 'first -')
      between.fault = () => undefined
      t.equal((await push(repository, tenant, SECOND)).status, 409, 'another chart is not stored over it')
      t.equal((await ask('POST', `/api/${tenant}/charts`, FIRST.chart)).status, 409, 'nor the same one alone')
      t.equal((await push(repository, tenant, FIRST)).status, 201, 'the pair is completed')
      t.equal(await stored(repository, tenant), 'first first')
      t.equal((await push(repository, tenant, FIRST)).status, 409, 'and is there then')
    }
  })
})

await t.test('a pair whose provenance came first is completed too', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    t.equal((await push(repository, 'team-a/b', { prov: FIRST.prov })).status, 201)
    t.equal((await push(repository, 'team-a/b', SECOND)).status, 409)
    t.equal(await stored(repository, 'team-a/b'), '- first')
    t.equal((await push(repository, 'team-a/b', FIRST)).status, 201)
    t.equal(await stored(repository, 'team-a/b'), 'first first')
  })
})

await t.test('after an overwrite nothing is undone, and no old provenance stays beside new bytes', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    const { between } = repository
    for (const [fault, expected] of FAULTS) {
      const tenant = `team-a/${fault}`
      t.equal((await push(repository, tenant, FIRST)).status, 201)
      between.fault = request => request.startsWith(`POST /api/${tenant}/prov`) ? fault : undefined
      const { status, error } = await push(repository, tenant, SECOND, '?force')
      t.equal(status, expected, `${fault}: ${error}`)
      if (status === 502) t.match(error, /the chart is stored, its provenance is not: send it again/, fault)
      t.equal(await stored(repository, tenant), status === 201 ? 'second second' : 'second -', fault)
      between.fault = () => undefined
      t.equal((await push(repository, tenant, SECOND, '?force')).status, 201, 'repeating the pair completes it')
      t.equal(await stored(repository, tenant), 'second second')
    }
    t.equal((await repository.ask('GET', '/team-a/500/index.yaml')).status, 200)
  })
})

await t.test('when the answer to the first half is lost, the second follows all the same', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    const { between } = repository
    between.fault = request => request.startsWith('POST /api/team-a/b/charts') ? 'lost' : undefined
    t.equal((await push(repository, 'team-a/b', FIRST)).status, 201)
    t.equal(await stored(repository, 'team-a/b'), 'first first')
    t.equal((await push(repository, 'team-a/b', SECOND, '?force')).status, 201)
    t.equal(await stored(repository, 'team-a/b'), 'second second')
    t.equal((await push(repository, 'team-a/b', { chart: FIRST.chart }, '?force')).status, 201)
    t.equal(await stored(repository, 'team-a/b'), 'first -')
  })
})

await t.test('an overwrite that the upstream does not take leaves the pair that was there', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    const { between } = repository
    t.equal((await push(repository, 'team-a/b', FIRST)).status, 201)
    for (const upload of [SECOND, { chart: SECOND.chart }]) {
      between.fault = request => request.startsWith('POST') ? '500' : undefined
      t.equal((await push(repository, 'team-a/b', upload, '?force')).status, 502)
      t.equal(await stored(repository, 'team-a/b'), 'first first')
    }
  })
})

await t.test('an old provenance goes with the chart that it was for, one of the same bytes stays', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    const tenant = 'team-a/b'
    t.equal((await push(repository, tenant, FIRST)).status, 201)
    t.equal((await push(repository, tenant, { chart: FIRST.chart }, '?force')).status, 201)
    t.equal(await stored(repository, tenant), 'first first', 'the same chart once more')
    t.equal((await push(repository, tenant, { prov: SECOND.prov }, '?force')).status, 201)
    t.equal((await push(repository, tenant, { chart: SECOND.chart }, '?force')).status, 201)
    t.equal(await stored(repository, tenant), 'second second', 'a provenance that was sent ahead')
    t.equal((await push(repository, tenant, { chart: FIRST.chart }, '?force')).status, 201)
    t.equal(await stored(repository, tenant), 'first -', 'one of other bytes')
    const { bytes } = await repository.ask('GET', `/api/${tenant}/charts/x/1.0.0`)
    t.match(JSON.parse(bytes.toString()), { digest: createHash('sha256').update(FIRST.chart).digest('hex') })
  })
})

await t.test('when the old provenance cannot be taken away, the chart stays and its sender is told', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    const { between } = repository
    for (const [fault, left, status] of [['500', 'second first', 502], ['cut', 'second first', 502], ['lost', 'second -', 201]] as const) {
      const tenant = `team-a/${fault}`
      t.equal((await push(repository, tenant, FIRST)).status, 201)
      between.fault = request => request.startsWith('DELETE') ? fault : undefined
      const answer = await push(repository, tenant, { chart: SECOND.chart }, '?force')
      t.equal(answer.status, status, fault)
      if (status === 502) t.match(answer.error, /the chart is stored, with a provenance file that may not be its own: send it again/)
      t.equal(await stored(repository, tenant), left, fault)
      between.fault = () => undefined
      t.equal((await push(repository, tenant, { chart: SECOND.chart }, '?force')).status, 201)
      t.equal(await stored(repository, tenant), 'second -', 'the next try takes it away')
    }
    // What was removed with it is stored again, in two tries.
    t.equal((await push(repository, 'team-a/c', FIRST)).status, 201)
    let posts = 0
    between.fault = request => request.startsWith('POST') && ++posts === 2 ? 'cut' : undefined
    t.equal((await push(repository, 'team-a/c', { chart: SECOND.chart }, '?force')).status, 201)
    t.equal(await stored(repository, 'team-a/c'), 'second -')
  })
})

/** Sends a pair, and leaves when its second half has come to the upstream, which waits to be told to go on. */
async function pushAndLeave (repository: Repository, tenant: string, { chart, prov }: Pair, fault?: Fault): Promise<() => void> {
  const { between, gateway } = repository
  const { body, contentType } = formOf([{ field: 'chart', filename: 'x', body: chart }, { field: 'prov', filename: 'x', body: prov }])
  const socket = connect(gateway.port, '127.0.0.1').on('error', () => {})
  const second = `POST /api/${tenant}/prov`
  let goOn = (): void => {}
  between.fault = async request => {
    if (!request.startsWith(second)) return undefined
    await new Promise<void>(resolve => { goOn = resolve })
    return fault
  }
  socket.write(Buffer.concat([Buffer.from(`POST /api/${tenant}/charts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\nContent-Type: ${contentType}\r\nContent-Length: ${body.length}\r\n\r\n`), body]))
  await until(() => between.seen.some(request => request.startsWith(second)) ? true : undefined)
  socket.destroy()
  return () => { goOn() }
}

await t.test('when the client leaves between the two, both are stored or none', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    for (const [tenant, fault, left] of [['team-a/b', undefined, 'first first'], ['team-a/c', '500', '- -'], ['team-a/d', 'cut', '- -'], ['team-a/e', 'lost', 'first first']] as const) {
      const goOn = await pushAndLeave(repository, tenant, FIRST, fault)
      t.equal(await stored(repository, tenant), 'first -')
      t.equal((await repository.ask('GET', `/${tenant}/index.yaml`)).status, 200, 'nobody else waits')
      goOn()
      t.ok(await until(async () => await stored(repository, tenant) === left ? true : undefined), `${fault}: ${left}`)
      repository.between.seen.length = 0
    }
  })
})

await t.test('two pairs, and a pair and a delete, come one after the other', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    const { ask } = repository
    const answers = await Promise.all([push(repository, 'team-a/b', FIRST), push(repository, 'team-a/b', SECOND)])
    t.same(answers.map(({ status }) => status).sort(), [201, 409])
    t.equal(await stored(repository, 'team-a/b'), answers[0]?.status === 201 ? 'first first' : 'second second')
    for (let i = 0; i < 10; i++) {
      const [pushed, deleted] = await Promise.all([push(repository, 'team-a/b', i % 2 === 0 ? FIRST : SECOND, '?force'), ask('DELETE', '/api/team-a/b/charts/x/1.0.0')])
      t.equal(pushed.status, 201)
      t.ok([200, 404].includes(deleted.status))
      const left = await stored(repository, 'team-a/b')
      t.ok(['- -', 'first first', 'second second'].includes(left), left)
    }
  })
})

await t.test('the program that is built takes no such tenant, and stores pairs whole', async t => {
  await overEachBuilt(t, async (t, ask, storage) => {
    for (const name of NAMES) t.equal((await ask('POST', `/api/team-a/${name}/charts`, FIRST.chart)).status, 400, name)
    for (let i = 0; i < 10; i++) {
      const tenant = `team-a/t${i}`
      const form = (pair: Pair): Promise<Answered> => {
        const { body, contentType } = formOf([{ field: 'chart', filename: 'x', body: pair.chart }, { field: 'prov', filename: 'x', body: pair.prov }])
        return ask('POST', `/api/${tenant}/charts?force`, body, contentType)
      }
      t.same((await Promise.all([form(FIRST), form(FIRST)])).map(({ status }) => status), [201, 201])
      t.equal((await form(SECOND)).status, 201)
      for (const [end, bytes] of [['', SECOND.chart], ['.prov', Buffer.from(SECOND.prov)]] as const) t.ok((await readFile(join(storage, tenant, FILE + end))).equals(bytes))
    }
  })
})
