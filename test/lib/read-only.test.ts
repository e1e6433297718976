import { join } from 'node:path'
import t from 'tap'
import { isReadOnly, reasonOf } from '../../src/lib/read-only.ts'
import { testFolder } from '../helpers/folder.ts'
import { builtUrl } from '../helpers/built.ts'

const failed = (code: string, path?: string): Error => Object.assign(new Error(code), { code, path })

await t.test('what the system says of a disk that is mounted read-only', async t => {
  t.equal(await isReadOnly(failed('EROFS')), true)
  for (const code of ['EACCES', 'ENOSPC', 'ENOENT']) t.equal(await isReadOnly(failed(code)), false, code)
  t.equal(await isReadOnly(new Error('no code')), false)
  t.equal(await reasonOf(failed('EROFS'), 'mount another one'), 'mount another one')
  t.equal(await reasonOf(failed('EACCES'), 'mount another one'), 'EACCES')
})

await t.test('a folder that is not there is asked of the one above, as far up as it takes', async t => {
  const dir = testFolder(t, { file: '' })
  t.equal(await isReadOnly(failed('ENOENT', join(dir, 'a/b/c'))), false)
  const asked: string[] = []
  const mocked = await t.mockImport<typeof import('../../src/lib/read-only.ts')>(builtUrl('lib/read-only.ts'), {
    'node:fs/promises': {
      constants: { W_OK: 2 },
      async access (path: string) {
        asked.push(path)
        throw failed(path === '/disk' ? 'EROFS' : 'ENOENT')
      }
    }
  })
  t.equal(await mocked.isReadOnly(failed('ENOENT', '/disk/a/b')), true)
  t.same(asked, ['/disk/a/b', '/disk/a', '/disk'])
})
