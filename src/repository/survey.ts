// Which files below a chart folder are in no index, and why? Asked by whoever looks after it,
// without a repository that runs: every file is read again, and nothing is written.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { examine, HELD_TWICE, isArchiveName, shownOf, type Entry } from './entries.ts'
import { compareBytes } from './go-json.ts'
import { isMissing, PRIVATE_FOLDER } from './store.ts'

export interface LeftOutFile {
  /** '' for the folder itself. */
  readonly tenant: string
  readonly file: string
  /** In Helm's words. */
  readonly reason: string
}

export interface Survey {
  /** How many there are. */
  readonly charts: number
  readonly leftOut: readonly LeftOutFile[]
}

/** Reads every chart's file below a folder, which need not be there. */
export async function surveyCharts (root: string): Promise<Survey> {
  const leftOut: LeftOutFile[] = []
  let charts = 0
  const waiting = ['']
  for (let tenant = waiting.pop(); tenant !== undefined; tenant = waiting.pop()) {
    const folder = join(root, tenant)
    const names = await namesIn(folder)
    for (const name of names.folders) {
      if (name !== PRIVATE_FOLDER) waiting.push(tenant === '' ? name : `${tenant}/${name}`)
    }
    const entries: Entry[] = []
    for (const file of names.files.filter(isArchiveName)) {
      const found = await examine(join(folder, file), file, undefined, undefined)
      if (typeof found === 'string') continue
      if (found.entry !== undefined) entries.push(found.entry)
      else leftOut.push({ tenant, file, reason: String(found.fault) })
    }
    const { hidden } = shownOf(entries)
    for (const file of hidden) leftOut.push({ tenant, file, reason: HELD_TWICE })
    charts += entries.length - hidden.size
  }
  return { charts, leftOut }
}

async function namesIn (folder: string): Promise<{ readonly folders: string[], readonly files: string[] }> {
  try {
    const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => compareBytes(a.name, b.name))
    return {
      folders: entries.filter(entry => entry.isDirectory()).map(({ name }) => name).reverse(),
      files: entries.filter(entry => !entry.isDirectory()).map(({ name }) => name)
    }
  } catch (error) {
    if (isMissing(error)) return { folders: [], files: [] }
    /* c8 ignore next 2 -- a disk that cannot be read cannot be had in a test */
    throw error
  }
}
