// What do ten thousand clusters cost that ask for an index every five minutes? On paper: from
// what one poll was measured to cost, by what is asked for and over which connection.
import { join } from 'node:path'
import { Authority } from '../../test/helpers/certificates.ts'
import type { Lab } from '../lab/lab.ts'
import { get } from '../load/answer.ts'
import { number, table } from '../report/text.ts'
import { cpuOfEach, startBefore, startIndexServer } from './common.ts'

const SECONDS = 2
const CONNECTIONS = 32
const CLUSTERS = 10_000
const EVERY = 300
/** How much of a core may be spent on polls, so that there is room for what else comes. */
const SHARE = 0.5
const VERSIONS = [100, 4_000] as const

interface Poll {
  readonly versions: number
  readonly how: string
  readonly line: string
  /** Microseconds of CPU. */
  readonly cpu: number
  /** Of the body. */
  readonly bytes: number
}

/** Markdown. */
export async function pollsText (lab: Lab, say: (text: string) => void): Promise<string> {
  const polls = await measureAll(lab, say)
  const perSecond = CLUSTERS / EVERY
  const rows = polls.map(({ versions, how, line, cpu, bytes }) => [
    number(versions), how, line, `${number(cpu)} µs`, `${number(100 * perSecond * cpu / 1e6)} %`, `${number(perSecond * bytes / 1e6)} MB/s`,
    number(Math.floor(SHARE * EVERY * 1e6 / cpu)), number(Math.floor(4 * SHARE * EVERY * 1e6 / cpu))
  ])
  const head = ['versions', 'answer', 'connection', 'CPU of a poll', 'of one core', 'network', 'clusters on one core', 'on four']
  return `## Ten thousand clusters that poll every five minutes, on paper

${table(head, rows, ['versions', 'CPU of a poll', 'of one core', 'network', 'clusters on one core', 'on four'])}
A poll is one \`GET index.yaml\` with Basic, at \`charts.index.maxAge: 1s\`, and was measured over ${CONNECTIONS} connections; ten thousand clusters make ${number(perSecond)} of them a second when they do not all come at once. The last columns are how many clusters would take half of each core. Four cores are four workers, and replicas add up in the same way, as far as the network and the chart repository go.
`
}

async function measureAll (lab: Lab, say: (text: string) => void): Promise<Poll[]> {
  const polls: Poll[] = []
  const origin = await startIndexServer(lab)
  const { cert, key } = Authority.make(join(await lab.folder(), 'ca')).issue()
  const lines: readonly [line: string, listen: object, headers: Record<string, string>][] = [
    ['kept', {}, {}],
    ['new', {}, { connection: 'close' }],
    ['new, TLS', { tls: { cert, key } }, { connection: 'close' }]
  ]
  for (const [line, listen, ofLine] of lines) {
    const gateway = await startBefore(lab, origin, { maxAge: '1s', listen })
    const plain = await startBefore(lab, origin, { maxAge: '1s' })
    for (const versions of VERSIONS) {
      const path = `/org1/v${versions}/index.yaml`
      const whole = await get(plain.origin + path, { authorization: plain.basic })
      const gzip = await get(plain.origin + path, { authorization: plain.basic, 'accept-encoding': 'gzip' })
      const ways: readonly [how: string, headers: Record<string, string>, bytes: number][] = [
        ['whole', {}, whole.body.length],
        ['gzip', { 'accept-encoding': 'gzip' }, gzip.body.length],
        ['304', { 'if-none-match': whole.headers.etag as string }, 0]
      ]
      for (const [how, headers, bytes] of ways) {
        say(`polls: ${versions} versions, ${how}, ${line}`)
        const { each } = await cpuOfEach(lab, gateway, { path, headers: { authorization: gateway.basic, ...ofLine, ...headers }, connections: CONNECTIONS, seconds: SECONDS })
        polls.push({ versions, how, line, cpu: each, bytes })
      }
    }
    await Promise.all([gateway.program.stop(), plain.program.stop()])
  }
  return polls
}
