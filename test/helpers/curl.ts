// curl, as people paste it; an answer is what `curl -i` shows.
import { tmpdir } from 'node:os'
import { run } from './processes.ts'

export interface CurlAnswer {
  readonly status: number
  /** All values of a header, in order. */
  header (name: string): string[]
  readonly body: string
}

/** Runs `curl -s -i` with these arguments. Bodies are read as UTF-8: charts go to a file with `-o`, and then see download(). */
export async function curl (...args: string[]): Promise<CurlAnswer> {
  const { code, stdout, stderr } = await run('curl', ['-sS', '-i', ...args], { env: { HOME: tmpdir() } })
  if (code !== 0) throw new Error(`curl ended with code ${code}: ${stderr}`)
  const answer = stdout.replace(/^(?:HTTP\/[\d.]+ 1\d\d .*?\r\n\r\n)+/s, '') // a 100 Continue is none
  const end = answer.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = answer.slice(0, end).split('\r\n')
  const headers = lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])
  return {
    status: Number(statusLine.split(' ')[1]),
    header: name => headers.filter(([each]) => each === name).map(([, value]) => value as string),
    body: answer.slice(end + 4)
  }
}

/** Writes the body to `file`; the status. */
export async function download (file: string, ...args: string[]): Promise<number> {
  const { stdout } = await run('curl', ['-sS', '-o', file, '-w', '%{http_code}', ...args], { env: { HOME: tmpdir() } })
  return Number(stdout)
}
