// The gateway in this process, on a real socket, with a stub or any other upstream.
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { buildApp } from '../../src/app.ts'
import { CONNECTION_LIMITS, type ConnectionLimits } from '../../src/app/options.ts'
import { loadAuthority } from '../../src/live/authority.ts'
import { followIssuers, keysPart, openKeys, type LiveKeys, type OpenedKeys } from '../../src/live/live-keys.ts'
import { openLiveFederation, type LiveFederation } from '../../src/live/live-federation.ts'
import { openCertificates, type LiveCertificates } from '../../src/live/live-certificates.ts'
import { listenerTls, type OpenedTls, openTls, tlsParts } from '../../src/live/live-tls.ts'
import { watchConfig, type LiveAuthority } from '../../src/live/reload.ts'
import type { Config } from '../../src/config/schema.ts'
import type { Settings } from '../../src/live/settings.ts'
import type { Passwords } from '../../src/identity/sources/passwords.ts'
import { CLOCK, type Clock } from '../../src/lib/clock.ts'
import { createMeter, type Meter } from '../../src/metrics/meter.ts'
import { createLive } from '../../src/lib/live.ts'
import { createLocks, type Locks } from '../../src/lib/locks.ts'
import { every, later } from '../../src/lib/timers.ts'
import { openLogins } from '../../src/serve/logins.ts'
import { createPulse } from '../../src/lib/pulse.ts'
import { severalUpstreams } from '../../src/upstream/upstreams.ts'
import { createUpstreamMinter, issueToken } from '../../src/tokens/issue.ts'
import { createRevocations, type Revocations } from '../../src/tokens/revocations.ts'
import type { Spent } from '../../src/tokens/spent.ts'
import { sayBreaker } from '../../src/observe/outages.ts'
import { createUpstream, type Patience, type UpstreamOptions } from '../../src/upstream/client.ts'
import { createFollower } from '../../src/upstream/follower.ts'
import type { Answered } from '../../src/replicas/answered.ts'
import type { Peers } from '../../src/upstream/peers.ts'
import { openSpool, type Spool } from '../../src/uploads/spool.ts'
import type { Grant } from '../../src/words/access.ts'
import type { IfNot } from '../../src/observe/audit/auditing.ts'
import { nameHash } from '../../src/observe/audit/name-key.ts'
import type { AuditEvent } from '../../src/observe/audit/schema.ts'
import { soundLine } from './audit.ts'
import { clockOf } from './clock.ts'
import { testFolder, type TestLike } from './folder.ts'
import { layKeys } from './key-pool.ts'
import { KEPT_LOG_LEVEL, keepLog, newMasterKey, recordToken } from './secrets.ts'
import { spentIn } from './spent.ts'

export interface TestGateway {
  readonly app: FastifyInstance
  readonly url: string
  readonly port: number
  /** Where proxies ask, with `authz`. */
  readonly authzPort: number
  readonly keys: LiveKeys
  /** What it was started with, for others that are to have the same. */
  readonly opened: OpenedKeys
  /** What of the configuration takes effect at once; a test may put others there. */
  readonly settings: Settings
  /** Accounts and rules in force; a test may put others there. */
  readonly authority: LiveAuthority
  /** Whom certificates stand for; a test may put others there. */
  readonly certificates: LiveCertificates
  /** Whose jobs have an identity; a test may put others there. */
  readonly federation: LiveFederation
  /** What is revoked; a test may add to it. */
  readonly revocations: Revocations
  readonly tls: OpenedTls
  readonly spool: Spool
  readonly meter: Meter
  readonly config: Config
  readonly masterKey: string
  /** Every line that was logged, parsed. */
  readonly log: Record<string, unknown>[]
  readonly logText: () => string
  /** Every line of the audit log, parsed; each was held against the schema. */
  readonly audit: AuditEvent[]
  readonly auditText: () => string
  /** A token with these grants, as the token endpoint would issue it. */
  token (grants: readonly Grant[], subject?: string): Promise<string>
}

export interface Overrides {
  readonly origin: string
  readonly config?: (config: Config) => Config
  /** Seconds since the epoch, of a clock that nobody sets. */
  readonly now?: () => number
  readonly clock?: Clock
  /** Those of another gateway, where a test starts many and making keys takes longest; default: new ones. */
  readonly keys?: OpenedKeys
  /** Laid over the limits of every day. */
  readonly limits?: Partial<ConnectionLimits>
  /** How passwords are checked; tests count it. */
  readonly passwords?: Passwords
  /** The upstream answers in part and on conditions, as the embedded repository does. */
  readonly takesConditions?: boolean
  /** Who is first at an object; default: this gateway's own. */
  readonly locks?: Locks
  /** Other gateways or workers that hear of changes; default: none. */
  readonly peers?: Peers
  /** What the registries of all gateways have answered with; default: each has its own. */
  readonly answered?: Answered
  /** It looks for what was deleted elsewhere, when its time comes; default: it does. */
  readonly sweeps?: boolean
  /** Laid over how long the upstream is waited for. */
  readonly waits?: Partial<Patience>
  /** Which tokens of jobs were exchanged; default: this gateway's own, since ever. */
  readonly spent?: Spent
  /** With audit.required: whether a line comes to the disk; default: each does. */
  readonly records?: (line: string, ifNot: IfNot) => Promise<boolean>
}

/** A public listener, with room for all that a test opens. */
export function listenOn (port: number, host = '127.0.0.1'): Config['listen'] {
  return { host, port, maxConnections: 8_192, maxConnectionsPerAddress: 8_192 }
}

/** More failed logins than a test makes. */
export const MANY_LOGINS = { perAccount: 1_000_000, perAddress: 1_000_000, within: '5m' }

/** A configuration with every default, for tests, which may guess as often as they like. */
export function testConfig (stateDir: string, origin: string | undefined): Config {
  return {
    listen: listenOn(0),
    admin: { host: '127.0.0.1', port: 0 },
    publicUrl: 'http://charts.example.test',
    basePath: '',
    oci: { enabled: true, attachments: { perChart: 1_000, maxBytes: 256 * 1024 * 1024 } },
    isBlank: false,
    secretFiles: [],
    written: {},
    trustedProxies: [],
    workers: 1,
    drain: { delay: 0 },
    stateDir,
    upstream: { url: origin, further: [], auth: 'bearer', username: '', password: '' },
    charts: { depth: 2, contextPath: '', allowOverwrite: false, maxUploadSize: 20 * 1024 * 1024, chartPostFormFieldName: 'chart', provPostFormFieldName: 'prov', spool: { maxBytes: 1024 ** 3 }, index: { maxAge: 0, maxBytes: 256 * 1024 ** 2 } },
    tokens: { ttl: 300, issuer: 'http://charts.example.test', service: 'charts.example.test', keys: [], issuers: [] },
    limits: { logins: { ...MANY_LOGINS, within: 300 } },
    masterKey: newMasterKey(),
    allowDemoKey: false,
    log: { level: 'info', reads: true },
    audit: { reads: false, required: false },
    metrics: { tenants: false },
    accounts: { files: [] },
    identity: { certificates: [] },
    federation: { providers: [], rules: [] },
    policy: []
  }
}

export async function startApp (t: TestLike, { origin, config: change = config => config, now, clock = now === undefined ? CLOCK : clockOf(now), keys: given, limits = {}, passwords, peers, answered, sweeps = true, locks = createLocks(), takesConditions = false, waits = {}, spent, records = async () => true }: Overrides): Promise<TestGateway> {
  const stateDir = testFolder(t)
  const meter = createMeter()
  const config = change(testConfig(stateDir, origin))
  // What is kept for the search of secrets has more lines than the test asked for.
  const least = pino.levels.values[config.log.level] ?? Infinity
  const logged = KEPT_LOG_LEVEL === undefined ? config : { ...config, log: { ...config.log, level: KEPT_LOG_LEVEL } as const }
  const settings = createLive(logged)
  const opened = given ?? await newKeys(config)
  const { live: keys, upstream: upstreamKey, stamps } = opened
  const { auth } = config.upstream
  const mint = createUpstreamMinter(upstreamKey, config.publicUrl, clock)
  const asked: Omit<UpstreamOptions, 'origin'> = {
    takesConditions,
    waits,
    onBreaker: sayBreaker({ error: (fields, message) => { app.log.error(fields, message) } }, origin),
    onAnswer (method, result, ms) { meter.upstreamAnswered(method, result, ms / 1000) },
    contextPath: config.charts.contextPath,
    auth: auth === 'bearer' ? { kind: 'bearer', mint } : auth === 'basic' ? { kind: 'basic', account: () => settings.current.upstream } : { kind: 'none' }
  }
  const upstream = createUpstream({ ...asked, origin })
  const standIns = config.upstream.further.map(each => {
    const other = createUpstream({ ...asked, origin: each })
    return { upstream: other, follower: createFollower({ first: upstream, other, later, every, clock: () => performance.now(), onChange: () => {} }) }
  })
  const authority = await loadAuthority(config)
  if (!authority.ok) throw new Error(authority.mistakes.join('\n'))
  const live = createLive(authority.authority)
  const tls = await openTls(config, CLOCK.wall())
  if (!tls.ok) throw new Error(tls.mistakes.join('\n'))
  const certificates = openCertificates(config)
  const federation = await openLiveFederation(config)
  if (!federation.ok) throw new Error(federation.mistakes.join('\n'))
  const { live: federating } = federation.opened
  const revocations = createRevocations(clock)
  const listener = listenerTls(tls.opened)
  const spool = await openSpool(join(stateDir, 'spool'), () => settings.current.charts.spool.maxBytes)
  const [lines, kept, audited]: [string[], string[], string[]] = [[], [], []]
  const log = parsedOnce<Record<string, unknown>>(lines)
  const audit = parsedOnce<AuditEvent>(audited)
  t.teardown(() => { keepLog([...kept, ...audited].join('')) })
  const app: FastifyInstance = await buildApp({
    settings,
    keys,
    upstreams: severalUpstreams(upstream, standIns),
    live,
    spool,
    locks,
    logins: openLogins(settings, { warn: (fields, message) => { app.log.warn(fields, message) } }, { clock }),
    revocations,
    spent: spent ?? await spentIn(stateDir, clock),
    pulse: createPulse(() => () => {}), // no time goes by
    handsOut: auth === 'bearer' ? { kind: 'bearer', mint } : { kind: 'none' },
    audit: {
      output: {
        write: line => { audited.push(soundLine(line)) },
        ...(config.audit.required
          ? {
              record: async (line: string, ifNot: IfNot) => {
                if (!await records(line, ifNot)) return false
                audited.push(soundLine(line))
                return true
              }
            }
          : {})
      },
      hashName: nameHash(Buffer.alloc(32))
    },
    version: '0.0.0-test',
    clock,
    meter,
    limits: { ...CONNECTION_LIMITS, ...limits },
    ...(passwords === undefined ? {} : { passwords }),
    ...(peers === undefined ? {} : { peers }),
    answered,
    sweeps,
    certificates,
    federation: federating,
    ...(listener === undefined ? {} : { tls: listener }),
    logStream: {
      write: line => {
        kept.push(line)
        const [, level = ''] = /^\{"level":"(\w+)"/.exec(line) ?? []
        if (Number(pino.levels.values[level]) >= least) lines.push(line)
      }
    }
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  await app.authz?.listen(config.authz?.listen as { host: string, port: number })
  followIssuers([...keys.current.issuers, ...federating.current.providers], app.log)
  const watch = watchConfig({ parts: [keysPart({ live: keys, upstream: upstreamKey }, clock.wall), ...tlsParts(tls.opened, clock.wall)], stamps: new Map([...stamps, ...tls.opened.stamps]), config, reload: async () => ({ ok: true, config }), log: app.log })
  t.teardown(async () => {
    watch.close()
    for (const { remote } of [...keys.current.issuers, ...federating.current.providers]) remote?.close()
    await app.authz?.close()
    await app.close()
    for (const each of [upstream, ...standIns.map(({ upstream }) => upstream)]) await each.close()
  })
  const { port } = app.server.address() as AddressInfo
  const authzPort = (app.authz?.server.address() as AddressInfo | undefined)?.port
  return {
    app,
    url: `http${listener === undefined ? '' : 's'}://127.0.0.1:${port}${config.basePath}`,
    port,
    authzPort: authzPort as number,
    keys,
    opened,
    settings,
    authority: live,
    certificates,
    federation: federating,
    revocations,
    tls: tls.opened,
    spool,
    meter,
    config,
    masterKey: config.masterKey,
    get log () { return log() },
    logText: () => lines.join(''),
    get audit () { return audit() },
    auditText: () => audited.join(''),
    async token (grants, subject = 'key:master') {
      const { issuer, service: audience, ttl } = config.tokens
      return recordToken((await issueToken(keys.current.ring.signing(clock.wall()), { issuer, audience, ttl }, subject, grants, clock.wall())).token)
    }
  }
}

/** What stands in lines that only become more: each is parsed once, however often a test waits for the next. */
function parsedOnce<T> (lines: readonly string[]): () => T[] {
  const parsed: T[] = []
  return () => {
    for (const line of lines.slice(parsed.length)) parsed.push(JSON.parse(line) as T)
    return [...parsed]
  }
}

async function newKeys (config: Config): Promise<OpenedKeys> {
  await layKeys(config.stateDir)
  const opened = await openKeys(config)
  if (!opened.ok) throw new Error(opened.mistakes.join('\n'))
  return opened.opened
}

/** Grants on one tenant. */
export function grant (name: string, ...actions: Grant['actions']): Grant {
  return { type: 'artifact-repository', name, actions }
}
