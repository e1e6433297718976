// Does the cost of an input grow as its length does? Judged by processor time, which other
// programs do not lengthen: four times the length may cost eight times as much, and all of
// it so many times what a loop over its characters costs.
import { cpuOf } from '../../helpers/cpu.ts'

/** What costs no more than so many loops is not looked at closer: at these lengths what grows by the square costs thousands. */
const FREE = 64
const MOST = 1_000
const MOST_RATIO = 8
/** Milliseconds below which a difference is chance. */
const RESOLUTION = 0.3
const ATTEMPTS = 4

let perCharacter: number | undefined

/** Milliseconds of a loop that looks at each character. */
async function loopOver (length: number): Promise<number> {
  perCharacter ??= await cpuOf(() => {
    const text = 'x'.repeat(4_000_000)
    let sum = 0
    for (let i = 0; i < text.length; i++) sum = (sum * 31 + text.charCodeAt(i)) | 0
    return sum
  }, 5) / 4_000_000
  return perCharacter * length
}

/**
 * @param run what reads a text
 * @param textOf a text of about so many characters
 * @param longest characters
 * @param dear how many times what others cost a character of this may
 * @returns what is wrong, in numbers; undefined when nothing is
 */
export async function growth (run: (text: string) => unknown, textOf: (length: number) => string, longest: number, dear = 1): Promise<string | undefined> {
  const [short, long] = [textOf(longest / 4), textOf(longest)]
  const loop = await loopOver(longest) * dear
  if (await cpuOf(async () => { await run(long) }, 1) <= FREE * loop + RESOLUTION) return undefined
  let found = ''
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const quarter = await cpuOf(async () => { await run(short) }, 4)
    const whole = await cpuOf(async () => { await run(long) }, 4)
    const ratio = whole / Math.max(quarter, RESOLUTION)
    if (ratio < MOST_RATIO && whole <= MOST * loop + RESOLUTION) return undefined
    found = `${long.length} characters take ${whole.toFixed(1)} ms, ${(whole / loop).toFixed(0)} times a loop over them and ${ratio.toFixed(1)} times a quarter of them`
  }
  return found
}
