// The rooms of the house: every file is in one, files know each other one way, and the
// drawing in docs/architecture.md is the table that lint holds imports to.
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { ROOMS, forbiddenTo, roomOf } from '../scripts/rooms.js'
import { ROOT } from './helpers/processes.ts'

const FILES = ['src', 'plugins'].flatMap(folder => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts')).map(file => join(folder, file)))

/** The files that a file imports, in whatever way. */
function importsOf (file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(ROOT, file), 'utf8'), true, true)
  return importedFiles.map(({ fileName }) => fileName).filter(name => name.startsWith('.')).map(name => normalize(join(dirname(file), name))).filter(name => FILES.includes(name))
}

const GRAPH = new Map(FILES.map(file => [file, importsOf(file)]))

void t.test('every file is in a room, and no room is empty', t => {
  t.strictSame(FILES.filter(file => roomOf(file) === undefined), [])
  t.strictSame(ROOMS.filter(room => !FILES.some(file => roomOf(file) === room)).map(({ name }) => name), [])
  t.end()
})

void t.test('no file knows one of a room that its own room may not know', t => {
  const wrong = [...GRAPH].flatMap(([file, known]) => known.filter(other => {
    const [room, its] = [roomOf(file), roomOf(other)]
    return room !== undefined && its !== undefined && forbiddenTo(room).includes(its.name)
  }).map(other => `${file} knows ${other}`))
  t.strictSame(wrong, [])
  t.ok([...GRAPH.values()].flat().length > 400, 'the imports were found')
  t.end()
})

void t.test('no file knows itself by way of others', t => {
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' → '))
    if (done.has(file)) return
    done.add(file)
    for (const other of GRAPH.get(file) ?? []) visit(other, [...way, file])
  }
  for (const file of FILES) visit(file, [])
  t.strictSame(circles, [])
  t.end()
})

void t.test('docs/architecture.md has the table', t => {
  const place = (name: string): string => name === 'plugins' ? 'plugins/' : FILES.includes(`src/${name}.ts`) ? `src/${name}.ts` : `src/${name}/`
  const table = ['| room | the question |', '| --- | --- |', ...ROOMS.map(({ name, question }) => `| \`${place(name)}\` | ${question} |`)].join('\n')
  t.ok(readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8').includes(table), table)
  t.end()
})
