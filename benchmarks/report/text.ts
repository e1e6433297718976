// How is a figure written? With three digits that mean something, and in tables of
// Markdown, which a terminal shows as well.
import type { Goal, Unit } from '../scenario.ts'
import type { Judgement } from './judge.ts'
import type { Summary } from './statistics.ts'

/** 27500 → 27,500; 4.3219 → 4.32; 0.0431 → 0.0431 */
export function number (value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en')
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : Math.abs(value) >= 0.1 ? 3 : 4
  return value.toFixed(digits)
}

export function quantity (value: number, unit: Unit | '×'): string {
  return unit === '×' || unit === '/s' ? number(value) + unit : `${number(value)} ${unit}`
}

/** The middle, and the ends where there is more than one. */
export function spread ({ low, high }: Summary, unit: Unit | '×'): string {
  return low === high ? '' : `${number(low)} – ${quantity(high, unit)}`
}

/** The bound as it was agreed, digit for digit. */
export function goalText ({ at, bound, unit, against }: Goal): string {
  const sign = at === 'least' ? '≥' : '≤'
  return `${sign} ${against !== undefined && unit !== '×' ? '+' : ''}${bound}${unit === '×' || unit === '/s' ? '' : ' '}${unit}`
}

/** "reached", or by how much not. */
export function verdict (judgement: Judgement): string {
  switch (judgement.kind) {
    case 'reached': return 'reached'
    case 'missed': return judgement.by === Infinity ? '**missed**' : `**missed by ${number(100 * judgement.by)} %**`
    case 'unknown': return judgement.why
  }
}

/** A Markdown table, its columns padded; the columns named in `right` end at the right. */
export function table (head: readonly string[], rows: ReadonlyArray<readonly string[]>, right: readonly string[] = []): string {
  const cells = [head, ...rows].map(row => row.map(cell => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')))
  const widths = head.map((_, column) => Math.max(3, ...cells.map(row => (row[column] as string).length)))
  const aligned = head.map(name => right.includes(name))
  const line = (row: readonly string[]): string => `| ${row.map((cell, column) => aligned[column] === true ? cell.padStart(widths[column] as number) : cell.padEnd(widths[column] as number)).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => aligned[column] === true ? '-'.repeat(width - 1) + ':' : '-'.repeat(width)).join(' | ')} |`
  return [line(cells[0] as string[]), rule, ...cells.slice(1).map(line)].join('\n') + '\n'
}
