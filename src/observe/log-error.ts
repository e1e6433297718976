// What may the log say of an error? What it is and where it comes from, by a list of
// what is allowed: libraries hang other things on their errors, for example the bytes
// that they could not read (undici's HTTPParserError, `data`), and an upstream may well
// repeat in them the credential that it was sent.

/** How many causes of causes are told. */
const DEEPEST_CAUSE = 5

/** A value for the logger's `err`; a text is a sentence of our own, and anything else is nothing. */
export function errorForLog (error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : undefined
  const { name, message, stack, cause } = error
  const { code } = error as NodeJS.ErrnoException
  return {
    type: name,
    message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined || depth === DEEPEST_CAUSE ? {} : { cause: errorForLog(cause, depth + 1) })
  }
}
