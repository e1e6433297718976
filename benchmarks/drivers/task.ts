// What a driver is to do, and how it says what it found.

export function readTask<T> (): T {
  return JSON.parse(process.env['BENCH_TASK'] ?? '{}') as T
}

export function report (found: object): void {
  console.log(JSON.stringify(found))
}
