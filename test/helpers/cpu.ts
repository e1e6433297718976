// What does something cost? In processor time of this process, which a busy machine does
// not lengthen as it does the time on a clock.

/** Milliseconds of CPU, the least of so many runs: what disturbs a run only adds. */
export async function cpuOf (work: () => unknown, runs = 3): Promise<number> {
  let least = Infinity
  for (let i = 0; i < runs; i++) {
    const before = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1000)
  }
  return least
}
