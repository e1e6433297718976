import t from 'tap'
import { rereadAll } from '../../src/serve/rereading.ts'

const own = { changed: ['policy'], mistakes: ['a'], later: ['workers'], last: undefined }

await t.test('who asked hears of this process and of its workers, and the log of who is silent', async t => {
  const log: unknown[] = []
  const say = (fields: object, message: string): void => { log.push([fields, message]) }
  const process = { lookNow: async () => own, standing: () => own, log: { info: say, warn: say } }
  t.same(await rereadAll(process, 'SIGHUP'), { ...own, silent: [] })
  t.same(log, [[{}, 'SIGHUP: every file is read again']])
  t.same(await rereadAll({ ...process, workers: { behind: async () => [12] } }, 'SIGHUP'), { ...own, silent: [12] })
  t.match(log.at(-1), [{ workers: [12] }, /have not said that they go by what was read/])
})
