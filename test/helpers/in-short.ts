// How long may a test take? `npm test` shows everything, as briefly as it can be shown;
// what is long by nature (hundreds of random cases, every combination) is whole in
// `npm run verify`, which sets CHARTGATE_VERIFY.
const IS_WHOLE = process.env['CHARTGATE_VERIFY'] === '1'

/** @param short for `npm test` @param whole for `npm run verify` */
export function inShort<T> (short: T, whole: T): T {
  return IS_WHOLE ? whole : short
}

/**
 * How many workers a built gateway has in a test that goes over both: in short two, each of
 * which does what one does alone.
 */
export const WORKER_COUNTS: readonly number[] = inShort([2], [1, 2])
