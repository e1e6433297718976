// Where keys of somebody else come from.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openKeySource } from '../../src/tokens/key-source.ts'
import { keySet } from '../helpers/federation.ts'
import { testFolder } from '../helpers/folder.ts'
import { keyNamed } from '../helpers/keys.ts'

await t.test('a key set in a file is there at once, one at a URL when it is fetched', async t => {
  const jwksFile = join(testFolder(t), 'keys.json')
  t.match(await openKeySource({ jwksFile }), /keys.json cannot be read \(ENOENT\)$/)
  await writeFile(jwksFile, '{}')
  t.match(await openKeySource({ jwksFile }), /keys.json cannot be used: it is not a JSON Web Key Set/)
  await writeFile(jwksFile, keySet(await keyNamed('platform')))
  const [ofFile, ofUrl] = [await openKeySource({ jwksFile }), await openKeySource({ remote: { jwksUrl: 'https://id.example.test/keys' } })]
  if (typeof ofFile === 'string' || typeof ofUrl === 'string') throw new Error('not opened')
  t.strictSame([ofFile.keys().length, ofFile.remote], [1, undefined])
  t.strictSame(ofUrl.keys(), [])
  t.ok(ofUrl.remote)
})
