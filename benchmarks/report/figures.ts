// What do the results look like? Bars for docs/performance.md, made of RESULTS.md alone, so
// that a picture never says anything else than the table. SVG by hand, whose colours follow
// those of whoever reads it: light or dark (prefers-color-scheme).

/** A row of a table of RESULTS.md. */
export interface ResultRow {
  readonly name: string
  readonly median: number
  readonly low: number
  readonly high: number
  /** As the table has the median, with its unit. */
  readonly text: string
}

export interface FigureOf {
  /** The file in docs/figures, and the scenario. */
  readonly scenario: string
  readonly title: string
  /** What the table's figures are measured in: rows in another unit are left out. */
  readonly unit: string
}

export const FIGURES: readonly FigureOf[] = [
  { scenario: 'index-bearer', title: 'Small index with a valid token, 32 connections: requests a second', unit: '/s' },
  { scenario: 'chart-small', title: 'Small chart file, 32 connections: requests a second', unit: '/s' },
  { scenario: 'latency', title: 'Small index, one connection: milliseconds to the middle answer', unit: ' ms' }
]

const NUMBER = '([\\d,.]+)'

/** The figures of a scenario. @param results RESULTS.md @throws when they are not there */
export function rowsOf (results: string, { scenario, unit }: Pick<FigureOf, 'scenario' | 'unit'>): ResultRow[] {
  const start = results.indexOf(`\n### ${scenario}: `)
  if (start < 0) throw new Error(`RESULTS.md has no scenario ${scenario}`)
  const section = results.slice(start + 1).split(/\n##/, 1)[0] as string
  const row = new RegExp(`^\\| (.+?) +\\| +(${NUMBER}${unit}) \\| (?:${NUMBER} – ${NUMBER}${unit})? *\\|$`, 'gm')
  const rows = [...section.matchAll(row)].map(([, name = '', text = '', median, low = median, high = median]): ResultRow =>
    ({ name, text, median: read(median), low: read(low), high: read(high) }))
  if (rows.length === 0) throw new Error(`${scenario} has no figures in "${unit.trim()}"`)
  return rows
}

function read (text: string | undefined): number {
  return Number(String(text).replaceAll(',', ''))
}

const [ROW, LABELS, LENGTH, END, TOP, BOTTOM] = [26, 330, 400, 110, 40, 12]

const STYLE = [
  'svg{color-scheme:light dark}',
  '.paper{fill:#fff}text{fill:#1f2328}.bar{fill:#8c959f}.ours{fill:#2f7d4f}.ends{stroke:#1f2328}',
  '@media(prefers-color-scheme:dark){.paper{fill:#0d1117}text{fill:#e6edf3}.bar{fill:#6e7681}.ours{fill:#3fb950}.ends{stroke:#e6edf3}}'
].join('')

/** Ours are those whose name says so; the line is from the lowest to the highest round. */
export function figure (title: string, rows: readonly ResultRow[]): string {
  const [width, height] = [LABELS + LENGTH + END, TOP + ROW * rows.length + BOTTOM]
  const scale = LENGTH / Math.max(...rows.map(({ high }) => high))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13" role="img">`,
    `<title>${escape(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    `<text x="12" y="23" font-size="15" font-weight="bold">${escape(title)}</text>`,
    ...rows.flatMap(({ name, median, low, high, text }, i) => {
      const y = TOP + ROW * i
      const [end, from, to] = [median, low, high].map(value => (LABELS + value * scale).toFixed(1))
      return [
        `<text x="${LABELS - 8}" y="${y + 17}" text-anchor="end">${escape(name)}</text>`,
        `<rect class="bar${name.startsWith('chartgate') ? ' ours' : ''}" x="${LABELS}" y="${y + 4}" width="${(Number(end) - LABELS).toFixed(1)}" height="${ROW - 8}"/>`,
        `<line class="ends" x1="${from}" x2="${to}" y1="${y + 13}" y2="${y + 13}"/>`,
        `<text x="${(Number(to) + 6).toFixed(1)}" y="${y + 17}">${escape(text)}</text>`
      ]
    }),
    '</svg>', ''
  ].join('\n')
}

function escape (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Every figure by its file's name. @param results RESULTS.md */
export function figuresOf (results: string): Map<string, string> {
  return new Map(FIGURES.map(each => [`${each.scenario}.svg`, figure(each.title, rowsOf(results, each))]))
}
