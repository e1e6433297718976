// Of which repositories is there something in stateDir/oci? A repository's folder is below those of
// the parts of its name; in it what is of itself is in folders that no part of a name can be called.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { unlessNoFile } from '../../files/whole.ts'

/** What the folders begin with that are of a repository itself. */
const OWN = '_'

/** Those folders in a folder that are parts of names. */
export async function partsIn (dir: string): Promise<string[]> {
  return (await foldersIn(dir)).filter(name => !name.startsWith(OWN))
}

/** The names of repositories with a folder of their own below a folder. @param name of that one */
export async function * repositoriesIn (dir: string, name = ''): AsyncGenerator<string> {
  const folders = await foldersIn(dir)
  if (folders.some(folder => folder.startsWith(OWN))) yield name
  for (const part of folders.filter(folder => !folder.startsWith(OWN))) {
    yield * repositoriesIn(join(dir, part), name === '' ? part : `${name}/${part}`)
  }
}

async function foldersIn (dir: string): Promise<string[]> {
  const entries = await unlessNoFile(readdir(dir, { withFileTypes: true })) ?? []
  return entries.filter(entry => entry.isDirectory()).map(entry => entry.name)
}
