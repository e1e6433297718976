// Whom there is a connection to: the one Redis, or whichever Sentinels call the master.
import { EventEmitter } from 'node:events'
import t from 'tap'
import type { RedisConfig } from '../../src/config/schema.ts'
import { connect, type Client, type Connections } from '../../src/replicas/connections.ts'
import { createForbidden } from '../../src/replicas/forbidden.ts'
import { manualTimers, settled } from '../helpers/channels.ts'

/** A connection as the library has it, that is there when it is asked for. */
class FakeClient extends EventEmitter {
  isOpen = false
  readonly heard: string[] = []
  readonly place: string
  private readonly answer: () => Promise<unknown>

  constructor (place: string, answer: () => Promise<unknown>) {
    super()
    this.place = place
    this.answer = answer
  }

  async connect (): Promise<void> {
    this.isOpen = true
    this.emit('ready')
  }

  async subscribe (channel: string): Promise<void> {
    this.heard.push(channel)
    throw new Error('the connection broke off, and it is sent anew with the next')
  }

  async sendCommand (): Promise<unknown> { return await this.answer() }
  destroy (): void { this.isOpen = false }
}

interface Lab {
  readonly connections: Promise<Connections>
  /** Those to Redis, as they were opened. */
  readonly clients: FakeClient[]
  readonly reports: (string | undefined)[]
  /** What the clock says, in milliseconds. */
  now: number
  /** What Sentinel answers from now on. */
  answer: () => Promise<unknown>
  /** Lets the time of the next look come. */
  look (): Promise<void>
}

function lab (first: Lab['answer']): Lab {
  const [timers, asked]: [ReturnType<typeof manualTimers>, FakeClient[]] = [manualTimers(), []]
  const reports: (string | undefined)[] = []
  const library = {
    createClient ({ socket: { host, port }, database }: { socket: { host: string, port: number }, database?: number }) {
      const client = new FakeClient(`${host}:${port}`, async () => await each.answer())
      if (database !== undefined) asked.push(client)
      return client
    }
  }
  const config: RedisConfig = { host: 'sentinel', port: 1, database: 0, sentinel: { master: 'm', places: [{ host: 'sentinel', port: 1 }] } }
  const each: Omit<Lab, 'connections'> = {
    clients: asked,
    reports,
    now: 0,
    answer: first,
    async look () {
      timers.fire()
      await settled()
    }
  }
  const connections = connect(library as unknown as typeof import('redis'), { config, texts: {}, later: timers.later, clock: () => each.now, outages: { report (sentence) { reports.push(sentence) } } }, createForbidden())
  return Object.assign(each, { connections })
}

const at = (port: number) => async () => ['redis', String(port)]
const away = async (): Promise<never> => { throw Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) }

await t.test('who moves is followed: the connections to the one before end, and what was heard there is heard on', async t => {
  const each = lab(at(7))
  const connections = await each.connections
  connections.hear('news', () => {})
  t.match(connections.asks(), { place: 'redis:7' })
  await each.look()
  t.strictSame(each.clients.map(({ place }) => place), ['redis:7', 'redis:7'], 'one that stays is left alone')
  each.answer = away
  await each.look()
  t.match(connections.asks(), { place: 'redis:7', isOpen: true }, 'and so is it while Sentinels are away')
  each.answer = at(8)
  await each.look()
  t.match(connections.asks(), { place: 'redis:8' })
  t.strictSame(each.clients.map(({ place, isOpen, heard }) => [place, isOpen, heard]), [['redis:7', false, []], ['redis:7', false, ['news']], ['redis:8', true, []], ['redis:8', true, ['news']]])
  each.answer = async () => ['another', '8']
  await each.look()
  t.match(connections.asks(), { place: 'another:8' })
  t.strictSame(each.reports, [])
  connections.close()
  t.equal(connections.asks(), undefined)
  t.notOk(each.clients.some(({ isOpen }) => isOpen))
})

await t.test('until Sentinel says where it is there is no connection, which is said, and what is to be heard is heard then', async t => {
  const each = lab(away)
  const connections = await each.connections
  connections.hear('news', () => {})
  t.equal(connections.asks(), undefined)
  await each.look()
  t.strictSame(each.reports, Array.from({ length: 2 }, () => 'no Sentinel at redis.url can be reached (ECONNREFUSED)'))
  each.answer = at(7)
  await each.look()
  t.match(connections.asks(), { place: 'redis:7' })
  t.strictSame(each.clients.map(({ heard }) => heard), [[], ['news']])
  connections.close()
})

await t.test('that connections end is said when nothing else is said of it, also behind something else', async t => {
  const each = lab(at(7))
  const connections = await each.connections
  const [asks] = each.clients as [FakeClient]
  const fails = (code: string): void => { asks.emit('error', Object.assign(new Error('no'), { code })) }
  fails('ECONNRESET')
  fails('ECONNREFUSED')
  await each.look()
  t.strictSame(each.reports.splice(0), ['Redis cannot be reached (ECONNREFUSED)'])
  fails('ECONNRESET')
  await each.look()
  t.strictSame(each.reports, ['Redis cannot be reached (ECONNRESET)'])
  connections.close()
})

await t.test('what Sentinel says to one that was closed meanwhile opens nothing', async t => {
  const each = lab(away)
  const connections = await each.connections
  let say = (_reply: unknown): void => {}
  each.answer = async () => await new Promise(resolve => { say = resolve })
  await each.look()
  connections.close()
  say(['redis', '7'])
  await settled()
  t.equal(connections.asks(), undefined)
  await each.look()
  t.strictSame(each.clients, [])
})

await t.test('one that leads nowhere is begun anew, what is heard too, and not again while that may come to something', async t => {
  const each = lab(at(7))
  const connections = await each.connections
  connections.hear('news', () => {})
  const renewed = (): unknown[] => each.clients.map(({ place, isOpen, heard }) => [place, isOpen, heard])
  const [asks] = each.clients as [FakeClient]
  const renew = (): void => { connections.renew(asks as unknown as Client) }
  each.now = 2_999
  renew()
  t.strictSame(renewed(), [['redis:7', true, []], ['redis:7', true, ['news']]])
  each.now = 3_000
  renew()
  t.strictSame(renewed(), [['redis:7', false, []], ['redis:7', false, ['news']], ['redis:7', true, []], ['redis:7', true, ['news']]])
  t.equal(connections.asks() as unknown, each.clients[2])
  each.now = 9_000
  renew()
  t.equal(each.clients.length, 4, 'who asked the one before says nothing of this one')
  connections.close()
  renew()
  t.equal(each.clients.length, 4)
})
