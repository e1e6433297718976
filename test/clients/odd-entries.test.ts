// Charts with odd names of the world's stores (test/regressions/41-one-odd-entry.test.ts): real
// Helm finds and pulls them through the gateway.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { helmVersions, succeed } from '../helpers/helm.ts'
import { startInFront } from '../helpers/in-front.ts'
import { notTried } from '../helpers/not-tried.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { STORES, UNSAYABLE, unpackAll } from '../helpers/stores.ts'

await t.test('Helm finds and pulls them', async t => {
  t.setTimeout(BUILD_LIMIT)
  const helms = await helmVersions()
  if (!helms.ok) return await notTried(t, 'real Helm', helms.reason)
  const folder = await unpackAll(t)
  const { gateway } = await startInFront(t, 'the embedded repository', { folder })
  const login = ['--username', 'any', '--password', gateway.masterKey]
  for (const helm of helms.versions) {
    const home = await temporaryFolder(t)
    for (const { case: name, chartmuseum, files } of STORES.filter(({ case: name }) => ['paren', 'umlaut', 'mergename', 'longname', 'backsl'].includes(name))) {
      await succeed(t, helm, ['repo', 'add', name, `${gateway.url}/org/${name}`, ...login], { home })
      for (const chart of chartmuseum.filter(({ name }) => !UNSAYABLE.test(name))) await succeed(t, helm, ['pull', `${name}/${chart.name}`, '--version', chart.version, '-d', home], { home })
      for (const file of files.filter(file => !UNSAYABLE.test(file))) t.ok((await readFile(join(home, file))).equals(await readFile(join(folder, 'org', name, file))), `${helm.name}: ${file}`)
    }
  }
})
