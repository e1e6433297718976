// What does the run look like? A bar for each goal, all on one scale: 1 is the goal, and
// longer is better. An SVG, written by hand.

export interface Bar {
  readonly label: string
  /** How many times the goal; undefined where nobody measured it. */
  readonly times: number | undefined
  /** What stands at its end. */
  readonly text: string
}

const [ROW, LABELS, UNIT, MOST, END] = [22, 440, 160, 3, 470]
const [TOP, BOTTOM] = [34, 12]
const COLOURS = { reached: '#2f7d4f', missed: '#b5482e' }

/** @param bars in their order; a bar of more than three times the goal is cut off there */
export function plot (title: string, bars: readonly Bar[]): string {
  const [width, height] = [LABELS + UNIT * MOST + END, TOP + ROW * bars.length + BOTTOM]
  const goal = LABELS + UNIT
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="12" y="20" font-size="14" font-weight="bold">${escape(title)}</text>`,
    ...bars.flatMap((bar, index) => row(bar, TOP + ROW * index)),
    `<line x1="${goal}" x2="${goal}" y1="${TOP - 4}" y2="${height - BOTTOM}" stroke="#444" stroke-dasharray="4 3"/>`,
    `<text x="${goal}" y="${TOP - 8}" text-anchor="middle" fill="#444">the goal</text>`,
    '</svg>', ''
  ].join('\n')
}

function row ({ label, times, text }: Bar, y: number): string[] {
  const length = Math.min(Math.max(times ?? 0, 0), MOST) * UNIT
  const colour = times !== undefined && times >= 1 ? COLOURS.reached : COLOURS.missed
  return [
    `<text x="${LABELS - 8}" y="${y + 15}" text-anchor="end">${escape(label)}</text>`,
    `<rect x="${LABELS}" y="${y + 4}" width="${length.toFixed(1)}" height="${ROW - 8}" fill="${colour}"/>`,
    `<text x="${(LABELS + length + 6).toFixed(1)}" y="${y + 15}">${escape(text)}</text>`
  ]
}

function escape (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
