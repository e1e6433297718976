// Draws docs/figures/*.svg from RESULTS.md: `npm run bench:figures`. A whole run of the
// benchmark draws them too.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../test/helpers/processes.ts'
import { figuresOf } from './report/figures.ts'

const folder = join(ROOT, 'docs/figures')

await mkdir(folder, { recursive: true })
for (const [file, svg] of figuresOf(await readFile(join(ROOT, 'benchmarks/RESULTS.md'), 'utf8'))) {
  await writeFile(join(folder, file), svg)
  console.log(`written: docs/figures/${file}`)
}
