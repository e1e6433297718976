// What is a fuzzer, and what do fuzzers share?

export interface Fuzzer {
  readonly name: string
  /** What follows `npm run fuzz --`. */
  readonly usage: string
  /** What these arguments ask for, to be called: true when nothing was found; undefined when they are wrong. */
  read (args: readonly string[]): (() => Promise<boolean>) | undefined
}

/** What was started stops in the opposite order, as with tap. */
export class Cleanup {
  private readonly steps: (() => unknown)[] = []
  teardown (step: () => unknown): void { this.steps.push(step) }
  async run (): Promise<void> { for (const step of this.steps.splice(0).reverse()) await step() }
}

/** What `parse` gives; undefined where it throws, as parseArgs does for what it does not know. */
export function orWrong<T> (parse: () => T): T | undefined {
  try {
    return parse()
  } catch {
    return undefined
  }
}
