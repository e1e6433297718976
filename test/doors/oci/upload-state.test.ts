import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createUploadStates } from '../../../src/doors/oci/upload-state.ts'
import { temporaryFolder } from '../../helpers/processes.ts'

const UPLOAD = { name: 'org1/repo1/mychart', id: 'one', subject: 'user:alice' }

await t.test('what one worker has said of an upload every other one reads', async t => {
  const dir = join(await temporaryFolder(t), 'oci')
  const workers = Array.from({ length: 8 }, () => createUploadStates(dir))
  const said = await Promise.all(workers.map(async (states, i) => await states.say(UPLOAD, i * 2 ** 40)))
  for (const states of workers) t.strictSame(await Promise.all(said.map(async state => await states.read(UPLOAD, state))), said.map((_, i) => i * 2 ** 40))
  t.equal(await createUploadStates(dir).read(UPLOAD, said[0] as string), 0, 'also one that starts later')
  t.strictSame(await readdir(dir), ['_key'])
  t.equal((await stat(join(dir, '_key'))).mode & 0o777, 0o600)
  t.equal((await readFile(join(dir, '_key'))).length, 32)
})

await t.test('of another upload, somebody else, another length or another gateway it says nothing', async t => {
  const states = createUploadStates(await temporaryFolder(t))
  const state = await states.say(UPLOAD, 5)
  t.match(state, /^[\w-]{30}$/)
  for (const other of [{ name: 'org1/repo1' }, { id: 'two' }, { subject: 'user:bob' }]) t.equal(await states.read({ ...UPLOAD, ...other }, state), undefined)
  const bytes = Buffer.from(state, 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    const forged = Buffer.from(bytes)
    forged[at] = (forged[at] as number) ^ 1
    t.equal(await states.read(UPLOAD, forged.toString('base64url')), undefined, `byte ${at}`)
  }
  for (const text of ['', 'x', state.slice(4), `${state}AAAA`]) t.equal(await states.read(UPLOAD, text), undefined, text)
  t.equal(await createUploadStates(await temporaryFolder(t)).read(UPLOAD, state), undefined)
})

await t.test('a key that cannot be had is asked for again', async t => {
  const dir = join(await temporaryFolder(t), 'oci')
  await writeFile(dir, 'a file')
  const states = createUploadStates(dir)
  await t.rejects(states.say(UPLOAD, 0), { code: 'EEXIST' })
  await rm(dir)
  t.equal(await states.read(UPLOAD, await states.say(UPLOAD, 0)), 0)
})
