// Why something is refused: what a RefusalError on its way says.
import { RefusalError, type Refusal } from '../../src/http/errors.ts'

/** The refusal that is thrown; undefined when nothing is. */
export function refusalIn (work: () => unknown): Refusal | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal
    throw error
  }
}
