// What chart do these files make? A port of LoadFiles (helm/helm v3.20.2, pkg/chart/loader/
// load.go): every file that Helm reads is read as it comes, so that none has to be kept, and
// the first that is wrong in Helm's order says so at the end. Subcharts are charts too.
import type { Steps } from '../lib/steps.ts'
import { checkMetadata, LOCK, METADATA, type Metadata, type MetadataResult } from './chart-metadata.ts'
import type { GoStruct, GoValue } from './go-json.ts'
import { readGoYaml, yamlBudget, type YamlResult } from './go-yaml.ts'
import { ANY_MAP, unmarshalValue, unmarshalYaml } from './unmarshal.ts'
import type { YamlBudget } from './yaml-parser.ts'

/** What is wrong with a chart, in Helm's words. */
export class ChartFault extends Error {}

/** Subcharts in folders and archives inside of each other; Helm has no end of them. */
export const MOST_LEVELS = 32

/** Of a chart and its subcharts together. */
const MOST_SUBCHARTS = 1000

/** What all of a chart may have, with its subcharts. */
export interface ChartBudget extends YamlBudget {
  charts: number
}

export function chartBudget (): ChartBudget {
  return { ...yamlBudget(), charts: MOST_SUBCHARTS }
}

/** Which file of which chart a path names. */
export type ChartPlace =
  | { readonly loader: ChartLoader, readonly file: string }
  | { readonly archive: ArchivedChart }

/** A subchart in an archive, which whoever reads the files unpacks. */
export interface ArchivedChart {
  readonly level: number
  loader?: ChartLoader
  fault?: string
}

const YAML_FILES = new Set(['Chart.yaml', 'Chart.lock', 'values.yaml', 'requirements.yaml', 'requirements.lock'])

export class ChartLoader {
  readonly level: number
  /** Of values.yaml; undefined without one. */
  values: GoValue | undefined
  private readonly budget: ChartBudget
  private metadata: GoStruct | undefined
  private readonly requirements: YamlResult[] = []
  private hasLock = false
  private chartFault: string | undefined
  private fileFault: string | undefined
  private readonly subcharts = new Map<string, ChartLoader | ArchivedChart>()

  constructor (budget: ChartBudget, level = 0) {
    if (--budget.charts < 0) throw new ChartFault(`more than ${MOST_SUBCHARTS} subcharts`)
    if (level > MOST_LEVELS) throw new ChartFault(`subcharts in more than ${MOST_LEVELS} levels`)
    this.budget = budget
    this.level = level
  }

  /** Where a file belongs; undefined for one that Helm only keeps. @param path below the chart's folder, clean */
  place (path: string): ChartPlace | undefined {
    if (YAML_FILES.has(path)) return { loader: this, file: path }
    if (!path.startsWith('charts/') || path.endsWith('.prov')) return undefined
    const [, name, ...below] = path.split('/') as [string, string, ...string[]]
    const rest = below.join('/')
    if (/^[_.]/.test(name)) return undefined
    const known = this.subcharts.get(name)
    if (name.endsWith('.tgz')) {
      if (known !== undefined) return undefined // the first one counts
      const archive: ArchivedChart = { level: this.level + 1 }
      this.subcharts.set(name, archive)
      if (rest === '') return { archive }
      archive.fault = `expected ${name}, got ${name}/${rest}`
      return undefined
    }
    const loader = known as ChartLoader | undefined ?? new ChartLoader(this.budget, this.level + 1)
    this.subcharts.set(name, loader)
    return rest === '' ? undefined : loader.place(rest)
  }

  /** Reads one of its files. */
  * add (file: string, data: Buffer): Steps<void> {
    switch (file) {
      case 'Chart.yaml': return yield * this.addChartYaml(data)
      case 'requirements.yaml': return yield * this.addRequirements(data)
      case 'values.yaml': {
        const read = yield * unmarshalYaml(data, ANY_MAP, this.budget, new Map())
        if (read.ok) this.values = read.value
        else this.fileFault ??= `cannot load ${file}: ${read.message}`
        return
      }
      default: { // a lock
        const read = yield * unmarshalYaml(data, LOCK, this.budget)
        if (!read.ok) this.fileFault ??= `cannot load ${file}: ${read.message}`
        if (file === 'requirements.lock') this.hasLock = true
      }
    }
  }

  private * addChartYaml (data: Buffer): Steps<void> {
    const read = yield * unmarshalYaml(data, METADATA, this.budget, this.metadata ?? {})
    if (!read.ok) {
      this.chartFault ??= `cannot load Chart.yaml: ${read.message}`
      return
    }
    const metadata = read.value as GoStruct
    this.metadata = (metadata['apiVersion'] ?? '') === '' ? { ...metadata, apiVersion: 'v1' } : metadata
  }

  /** Its fields win over those of Chart.yaml, which may come behind it. */
  private * addRequirements (data: Buffer): Steps<void> {
    const read = yield * readGoYaml(data, this.budget)
    const alone = unmarshalValue(read, METADATA, {})
    if (alone.ok) this.requirements.push(read)
    else this.fileFault ??= `cannot load requirements.yaml: ${alone.message}`
  }

  /** The chart, when all of it is one. Throws ChartFault. */
  finish (): Metadata {
    for (const fault of [this.chartFault, this.fileFault]) if (fault !== undefined) throw new ChartFault(fault)
    const checked = this.check()
    if (!checked.ok) throw new ChartFault(checked.message)
    for (const [name, subchart] of this.subcharts) finishSubchart(name, subchart, checked.metadata.name)
    return checked.metadata
  }

  private check (): MetadataResult {
    let metadata = this.metadata ?? (this.hasLock ? {} : undefined)
    for (const read of this.requirements) {
      const merged = unmarshalValue(read, METADATA, metadata ?? {})
      /* c8 ignore next -- it was tried when it came */
      metadata = merged.ok ? merged.value as GoStruct : metadata
    }
    return metadata === undefined ? { ok: false, message: 'Chart.yaml file is missing' } : checkMetadata(metadata)
  }
}

function finishSubchart (name: string, subchart: ChartLoader | ArchivedChart, parent: string): void {
  if (subchart instanceof ChartLoader) return finishNamed(name, subchart, parent)
  const { loader, fault = '' } = subchart
  if (loader !== undefined) return finishNamed(name, loader, parent)
  throw new ChartFault(fault.startsWith('expected ')
    ? `error unpacking subchart tar in ${parent}: ${fault}`
    : unpackingFault(name, parent, fault))
}

function finishNamed (name: string, loader: ChartLoader, parent: string): void {
  try {
    loader.finish()
  } catch (error) {
    /* c8 ignore next -- nothing else is thrown */
    if (!(error instanceof ChartFault)) throw error
    throw new ChartFault(unpackingFault(name, parent, error.message))
  }
}

function unpackingFault (name: string, parent: string, fault: string): string {
  return `error unpacking subchart ${name} in ${parent}: ${fault}`
}
