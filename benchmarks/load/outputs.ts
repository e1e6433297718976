// What did the load generator see? wrk's report (drive.lua writes it) and autocannon's
// JSON, as one form.

export interface Load {
  readonly requests: number
  readonly seconds: number
  /** Of heads and bodies. */
  readonly bytes: number
  /** Milliseconds of the middle request; undefined where it was not measured finely enough. */
  readonly p50?: number
  /** Seconds until each token was sent once, where that was asked for. */
  readonly once?: number
  /** What went wrong, by kind; empty when nothing did. */
  readonly faults: Readonly<Record<string, number>>
}

interface WrkReport { requests: number, microseconds: number, bytes: number, p50: number, connect: number, read: number, write: number, status: number, timeout: number, once: number }

/** @param output all that wrk printed with drive.lua */
export function readWrk (output: string): Load {
  const report = /^report (\{.*\})$/m.exec(output)?.[1]
  if (report === undefined) throw new Error(`wrk reported nothing: ${output}`)
  const { requests, microseconds, bytes, p50, connect, read, write, status, timeout, once } = JSON.parse(report) as WrkReport
  const kinds = { 'failed connections': connect, 'failed reads': read, 'failed writes': write, 'answers of 400 and above': status, timeouts: timeout }
  return { requests, seconds: microseconds / 1e6, bytes, p50: p50 / 1000, ...(once === 0 ? {} : { once: once / 1e6 }), faults: some(kinds) }
}

interface AutocannonReport { requests: { total: number }, duration: number, throughput: { total: number }, errors: number, timeouts: number, '1xx': number, '4xx': number, '5xx': number }

/** @param output all that `autocannon --json` printed; its latencies are whole milliseconds, and so left out */
export function readAutocannon (output: string): Load {
  const json = /^\{.*\}$/m.exec(output)?.[0]
  if (json === undefined) throw new Error(`autocannon reported nothing: ${output}`)
  const report = JSON.parse(json) as AutocannonReport
  const kinds = { 'failed connections or reads': report.errors - report.timeouts, timeouts: report.timeouts, 'answers of 400 and above': report['4xx'] + report['5xx'] + report['1xx'] }
  return { requests: report.requests.total, seconds: report.duration, bytes: report.throughput.total, faults: some(kinds) }
}

function some (kinds: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(kinds).filter(([, count]) => count !== 0))
}
