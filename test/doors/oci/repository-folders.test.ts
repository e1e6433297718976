// Of which repositories there is something, by folders alone.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { partsIn, repositoriesIn } from '../../../src/doors/oci/repository-folders.ts'
import { temporaryFolder } from '../../helpers/processes.ts'

await t.test('a repository has something in a folder of its own, whatever is above and below it', async t => {
  const dir = await temporaryFolder(t)
  for (const folder of ['root/_content', 'org1/repo1/_versions', 'org1/repo1/a/_attachments', 'org1/repo1/a/_content', 'org1/nothing/b']) await mkdir(join(dir, folder), { recursive: true })
  await writeFile(join(dir, 'org1', '_file'), '')
  const found: string[] = []
  for await (const name of repositoriesIn(dir)) found.push(name)
  t.strictSame(found.sort(), ['org1/repo1', 'org1/repo1/a', 'root'])
  t.strictSame(await partsIn(join(dir, 'org1', 'repo1')), ['a'])
  for await (const name of repositoriesIn(join(dir, 'never made'))) t.fail(name)
})
