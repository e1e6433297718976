// What are seconds that several processes have spent, all together? Floating point has another
// sum of the same for another order, and a worker that ends changes that: a counter would fall by
// its last digit, which Prometheus takes for one that began anew. To the microsecond it does not.

/** Seconds to the microsecond; whole numbers stay as they are. Of each part and of their sum: then no order shows. */
export function toMicros (value: number): number {
  return Number.isInteger(value) ? value : Math.round(value * 1e6) / 1e6
}
