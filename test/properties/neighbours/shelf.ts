// What lies in the stores before anybody comes? Files small and large, an index as large
// as those of old repositories, and what people and other programs have left in a folder:
// names that a push through the gateway would not take.
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { stringify } from 'yaml'
import { rawTar, rawTgz } from '../../helpers/archives.ts'
import { chartYaml } from '../../helpers/packages.ts'
import { PLACES } from './cast.ts'

const KIB = 1024

/** Files that every tenant but the odd ones has. */
export const FILES = {
  small: 'good-0.1.0.tgz',
  /** Streamed, and yet nothing that fills a socket. */
  middle: 'middle-1.0.0.tgz',
  /** More than the system keeps for a client that does not read. */
  large: 'large-1.0.0.tgz'
} as const

const SIZES = { middle: 200 * KIB, large: 8 * 1024 * KIB }
const DAY = '2024-01-01T00:00:00Z'
/** So many charts with so long a description make an index of 1.5 MB. */
const FAT = { charts: 12, description: 125_000 }

/** Charts that are called so, each in the file of that name. */
const MARKS = ['a&b', 'a!b', "it's", 'a@b', 'a:b', 'a?b', 'a[b]', 'a#b', 'foo%20bar', 'a"b', '<<', '-foo', 'a\\b']
const LETTERS = ['größe', 'été', '日本', 'null', '123', 'n'.repeat(200)]
/** Files of one chart, called as desktops and editors call copies. */
const COPIES = [' - Copy.tgz', ' (1).tgz', '(2).tgz', '.tgz~', '.tgz.part'].map(end => `mychart-0.1.0${end}`)

type Files = ReadonlyArray<readonly [file: string, chart: string]>

const filesOf = (names: readonly string[]): Files => names.map(name => [`${name}-0.1.0.tgz`, name])

/** What lies beside the good chart. */
const ODD: Readonly<Record<(typeof PLACES.odd)[number], Files>> = {
  'odd/marks': filesOf(MARKS),
  'odd/letters': filesOf(LETTERS),
  'odd/copies': COPIES.map(file => [file, 'mychart']),
  'odd/links': filesOf(['linked'])
}

/** Fills a folder that is laid out as ChartMuseum's local storage at depth 2. */
export async function fillShelves (root: string): Promise<void> {
  const put = async (tenant: string, file: string, bytes: Buffer | string): Promise<void> => {
    await mkdir(join(root, tenant), { recursive: true })
    await writeFile(join(root, tenant, file), bytes)
  }
  for (const tenant of [PLACES.near, ...PLACES.far, PLACES.common, PLACES.open]) {
    await put(tenant, FILES.small, chart('good', '0.1.0'))
    for (const name of ['middle', 'large'] as const) await put(tenant, FILES[name], filled(name, SIZES[name]))
  }
  for (let i = 0; i < FAT.charts; i++) await put(PLACES.common, `fat${i}-0.1.0.tgz`, fat(`fat${i}`))
  for (const tenant of PLACES.odd) {
    await put(tenant, FILES.small, chart('good', '0.1.0'))
    for (const [file, name] of ODD[tenant]) await put(tenant, file, chart(name, '0.1.0'))
  }
  await put('odd/links', 'index-cache.yaml', oldCache())
}

/** A small chart, whatever its name. */
export function chart (name: string, version: string): Buffer {
  const yaml = chartYaml(JSON.stringify(name), JSON.stringify(version)) // quoted, because a name can be anything
  return rawTgz([{ name: 'x/Chart.yaml', body: yaml }, { name: 'x/values.yaml', body: 'replicas: 1\n' }])
}

/** A chart of about so many bytes, which nothing makes smaller. */
export function filled (name: string, size: number): Buffer {
  const files = [{ name: 'x/Chart.yaml', body: chartYaml(name, '1.0.0') }, { name: 'x/blob', body: randomBytes(size) }]
  return gzipSync(rawTar(files), { level: 0 })
}

function fat (name: string): Buffer {
  const description = 'word '.repeat(FAT.description / 5)
  const yaml = chartYaml(name, '0.1.0').replace(/description: .*/, `description: ${description}`)
  return rawTgz([{ name: 'x/Chart.yaml', body: yaml }])
}

/** What ChartMuseum has written while it ran with a --chart-url, and goes on with after it. */
function oldCache (): string {
  const digest = createHash('sha256').update('linked').digest('hex')
  const entry = (name: string, url: string): object => {
    const urls = [url]
    return { [name]: [{ apiVersion: 'v2', created: DAY, digest, name, urls, version: '0.1.0' }] }
  }
  const old = 'https://cdn.example.test'
  const entries = { ...entry('good', `charts/${FILES.small}`), ...entry('linked', `${old}/old/charts/linked-0.1.0.tgz`), ...entry('gone', `${old}/elsewhere/other-9.9.9.tgz`) }
  return stringify({ apiVersion: 'v1', entries, generated: DAY, serverInfo: {} })
}
