// What was looked at to say whether the gateway is ready, and what was found? A row for
// each look, in the words of the plain answer, for a person who asks /readyz?verbose.

export interface Check {
  /** What is looked at. */
  readonly name: string
  /** What it finds keeps the gateway from being ready; otherwise somebody should know of it. */
  readonly hinders: boolean
  /** One sentence for each thing that is wrong; none: all is well. */
  look (): Promise<readonly string[]>
}

export interface Found {
  readonly ready: boolean
  /** A line for each look and each thing that is wrong, and the sum of it; ends with a line end. */
  readonly text: string
}

/** Looks at all of them at once, and says it in their order. @throws what a look does */
export async function lookAtAll (checks: readonly Check[]): Promise<Found> {
  const found = await Promise.all(checks.map(async check => ({ ...check, wrong: await check.look() })))
  const ready = found.every(({ hinders, wrong }) => !hinders || wrong.length === 0)
  const lines = found.flatMap(({ name, hinders, wrong }) => {
    if (wrong.length === 0) return [`${name}: ok`]
    return wrong.map(each => `${name}: ${hinders ? 'failed' : 'warning'}: ${each}`)
  })
  return { ready, text: [...lines, ready ? 'ready' : 'not ready', ''].join('\n') }
}
