// Ambiguous file names: `foo` `1-1.0` and `foo-1` `1.0` are both foo-1-1.0.tgz. A delete
// of the one removed the other, with 200, and an overwrite of the one replaced the other;
// nobody was told. And files that somebody put there hold what their names do not say.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { chartOf, formOf, provenanceOf } from '../helpers/packages.ts'
import { overEachBuilt, overEachRepository, type Repository } from '../helpers/repositories.ts'

const TENANT = 'org1/repo1'
const CHARTS = `/api/${TENANT}/charts`
const FILE = 'foo-1-1.0.tgz'

const charts = { foo: await chartOf('foo', '1-1.0'), foo1: await chartOf('foo-1', '"1.0"'), bar: await chartOf('bar', '2.0.0') }

async function push ({ ask }: Repository, chart: Buffer, query = '', prov?: string): Promise<{ status: number, error: string }> {
  const { body, contentType } = formOf([{ field: 'chart', filename: 'x', body: chart }, ...(prov === undefined ? [] : [{ field: 'prov', filename: 'x', body: prov }])])
  return await ask('POST', CHARTS + query, body, contentType)
}

async function isListed ({ ask }: Repository, name: string, version: string): Promise<boolean> {
  const { status, bytes } = await ask('GET', `${CHARTS}/${name}`)
  return status === 200 && (JSON.parse(bytes.toString()) as { version: string }[]).some(entry => entry.version === version)
}

await t.test('a delete removes the version that it names, and says whose file it is when it is not that', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    const { ask, files } = repository
    const [foo1, foo]: [[string, string], [string, string]] = [['foo-1', '1.0'], ['foo', '1-1.0']]
    for (const [chart, own, other] of [[charts.foo1, foo1, foo], [charts.foo, foo, foo1]] as const) {
      t.equal((await push(repository, chart, '', provenanceOf(...own))).status, 201)
      const refused = await ask('DELETE', `${CHARTS}/${other.join('/')}`)
      t.equal(refused.status, 404)
      t.equal(refused.error, `${FILE} holds ${own.join(' ')}: that is deleted with DELETE ${CHARTS}/${own.join('/')}`)
      t.same(await files(TENANT), [FILE, `${FILE}.prov`], 'nothing is removed')
      t.ok(await isListed(repository, ...own))
      const path = /DELETE (\S+)$/.exec(refused.error)?.[1] as string
      t.equal((await ask('DELETE', path)).status, 200, 'the path that it names is the right one')
      t.same(await files(TENANT), [])
      for (const version of [own, other]) t.equal((await ask('DELETE', `${CHARTS}/${version.join('/')}`)).status, 404, 'nothing is there')
    }
  })
})

await t.test('an overwrite replaces no other version, and neither does a push, with a chart or a provenance', async t => {
  await overEachRepository(t, { allowOverwrite: true }, async (t, repository) => {
    const { ask, storage, files } = repository
    const prov = provenanceOf('foo', '1-1.0')
    t.equal((await push(repository, charts.foo1)).status, 201)
    for (const query of ['', '?force']) {
      for (const { status, error } of [
        await ask('POST', CHARTS + query, charts.foo), await push(repository, charts.foo, query), await push(repository, charts.foo, query, prov), await ask('POST', `/api/${TENANT}/prov${query}`, prov)
      ]) {
        t.equal(status, 409, query)
        t.equal(error, `${FILE} holds foo-1 1.0: two versions cannot have one file, so use another name or version`)
      }
    }
    t.same(await files(TENANT), [FILE])
    t.ok((await readFile(join(storage, TENANT, FILE))).equals(charts.foo1))
    const others = await chartOf('foo-1', '"1.0"', [{ name: 'foo-1/more', body: 'x' }])
    t.equal((await ask('POST', CHARTS, others)).error, 'file already exists', 'of its own version it is said as ever')
    t.equal((await push(repository, others)).error, 'chart already exists')
    t.equal((await push(repository, charts.foo1)).error, 'already stored, identical')
    t.equal((await push(repository, charts.foo1, '?force')).status, 201, 'which may be overwritten')
    t.equal((await ask('POST', `/api/${TENANT}/prov`, provenanceOf('foo-1', '1.0'))).status, 201)
    t.same(await files(TENANT), [FILE, `${FILE}.prov`])
  })
})

await t.test('a file in which no listed version lives is deleted by its name', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    const { ask, storage, files } = repository
    await mkdir(join(storage, TENANT), { recursive: true })
    for (const [file, body] of [['broken-1.0.0.tgz', 'no chart'], ['empty-1.0.0.tgz', ''], ['broken-1-1.0.0.tgz', charts.foo.subarray(0, 50)], ['four-1.2.3.tgz', await chartOf('four', '1.2.3.4')]] as const) {
      await writeFile(join(storage, TENANT, file), body)
      const [name, version] = file.replace('.tgz', '').split(/-(?=[^-]*$)/) as [string, string]
      t.notOk(await isListed(repository, name, version), file)
      t.equal((await ask('DELETE', `${CHARTS}/${name}/${version}`)).status, 200, file)
      t.same(await files(TENANT), [])
    }
    await writeFile(join(storage, TENANT, 'broken-1.0.0.tgz'), 'no chart')
    t.equal((await push(repository, await chartOf('broken', '1.0.0'))).error, 'chart already exists')
    t.equal((await push(repository, await chartOf('broken', '1.0.0'), '?force')).status, 201, 'or overwritten')
    t.ok(await isListed(repository, 'broken', '1.0.0'))
  })
})

await t.test('a version that is listed in a file of another name is deleted by its own', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    const { ask, storage, files } = repository
    await mkdir(join(storage, TENANT), { recursive: true })
    await writeFile(join(storage, TENANT, 'foo-9.0.0.tgz'), charts.bar)
    t.ok(await isListed(repository, 'bar', '2.0.0'))
    const refused = await ask('DELETE', `${CHARTS}/foo/9.0.0`)
    t.same([refused.status, refused.error], [404, `foo-9.0.0.tgz holds bar 2.0.0: that is deleted with DELETE ${CHARTS}/bar/2.0.0`])
    t.same([(await push(repository, await chartOf('foo', '9.0.0'), '?force')).status, await files(TENANT)], [409, ['foo-9.0.0.tgz']])
    t.equal((await ask('DELETE', `${CHARTS}/bar/2.0.0`)).status, 200)
    t.same(await files(TENANT), [])
    t.equal((await ask('DELETE', `${CHARTS}/bar/2.0.0`)).status, 404, 'also where the index still has it')
  })
})

await t.test('of a version and a copy of it each is deleted by its file name', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    const { ask, storage, files } = repository
    await mkdir(join(storage, TENANT), { recursive: true })
    for (const file of ['bar-2.0.0.tgz', 'bar-2.0.0(1).tgz', 'bar-2.0.0_2.tgz']) await writeFile(join(storage, TENANT, file), charts.bar)
    t.ok(await isListed(repository, 'bar', '2.0.0'))
    // Which of them is listed is the repository's to say: what is no version speaks of its file.
    t.equal((await ask('DELETE', `${CHARTS}/bar/2.0.0`)).status, 200)
    t.same(await files(TENANT), ['bar-2.0.0(1).tgz', 'bar-2.0.0_2.tgz'], 'its own file first')
  })
})

await t.test('a delete waits for an upload of another version with the same file, and the other way round', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    for (let i = 0; i < 10; i++) {
      const [pushed, deleted] = await Promise.all([push(repository, charts.foo1), repository.ask('DELETE', `${CHARTS}/foo/1-1.0`)])
      t.same([pushed.status, deleted.status], [201, 404])
      const [removed, other] = await Promise.all([repository.ask('DELETE', `${CHARTS}/foo-1/1.0`), push(repository, charts.foo)])
      t.equal(removed.status, 200)
      if (other.status === 201) t.equal((await repository.ask('DELETE', `${CHARTS}/foo/1-1.0`)).status, 200)
      else t.equal(other.status, 409)
      t.same(await repository.files(TENANT), [])
    }
  })
})

await t.test('the program that is built neither deletes nor overwrites what was not named', async t => {
  await overEachBuilt(t, async (t, ask) => {
    t.equal((await ask('POST', CHARTS, charts.foo1)).status, 201)
    for (let i = 0; i < 10; i++) {
      const [deleted, replaced, pushed] = await Promise.all([ask('DELETE', `${CHARTS}/foo/1-1.0`), ask('POST', `${CHARTS}?force`, charts.foo), ask('POST', CHARTS, charts.foo)])
      t.same([deleted.status, replaced.status, pushed.status], [404, 409, 409])
    }
    t.ok((await ask('GET', `/${TENANT}/charts/${FILE}`)).bytes.equals(charts.foo1))
    t.equal((await ask('DELETE', `${CHARTS}/foo-1/1.0`)).status, 200)
  })
})
