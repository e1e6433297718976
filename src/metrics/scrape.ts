// What does somebody get who looks? The numbers of all processes, collected once for all who
// look at the same time, as text in the form that they read.
import { textOf, type Form, type OfLibrary } from './prom.ts'
import type { Snapshot } from './meter.ts'

export interface Collected {
  readonly snapshot: Snapshot
  /** Of each process. */
  readonly libraries: readonly OfLibrary[]
}

/** @returns who comes while others are answered gets what they get */
export function createScrape (collect: () => Promise<Collected>): (form: Form) => Promise<string> {
  let collecting: Promise<Collected> | undefined
  const texts = new Map<Form, Promise<string>>()

  async function textAs (form: Form): Promise<string> {
    collecting ??= collect().finally(() => { collecting = undefined })
    const { snapshot, libraries } = await collecting
    return await textOf(snapshot, libraries, form)
  }

  return async form => {
    const text = texts.get(form) ?? textAs(form).finally(() => { texts.delete(form) })
    texts.set(form, text)
    return await text
  }
}
