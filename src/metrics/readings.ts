// Which numbers do rooms keep anyway? Each is asked for when somebody looks, in the places
// that the table gives its labels.
import type { Robot } from '../identity/accounts.ts'
import type { Connections } from '../limits/shares.ts'
import type { ConnectionsStanding } from '../limits/connections.ts'
import type { LoginStanding } from '../limits/logins.ts'
import type { Standing } from '../limits/standing.ts'
import { BREAKER_STATES, type BreakerState } from '../upstream/breaker.ts'
import { FOLLOWER_STATES, type FollowerState } from '../upstream/follower.ts'
import type { SpoolStanding } from '../uploads/spool.ts'
import { SOON } from '../live/account-warnings.ts'
import type { Meter } from './meter.ts'

/** What a process keeps that has the clients. */
export interface FrontRooms {
  /** Connections of clients, and to the upstream. */
  readonly clients: () => ConnectionsStanding
  readonly passwords: () => Standing
  readonly connections: () => Connections
  readonly breaker: () => BreakerState
  /** Of each further address of the upstream. */
  readonly followers: () => readonly FollowerState[]
  readonly spool: () => SpoolStanding
  /** What waits for the tag of its push, of all workers. */
  readonly waiting: () => Omit<SpoolStanding, 'max'>
  /** Bytes. */
  readonly indexMemory: () => { readonly used: number, readonly max: number }
  /** What counts no more of the tokens that were issued. */
  readonly revocations: () => number
  readonly running: () => number
}

export function readFront (meter: Meter, rooms: FrontRooms): void {
  const { clients, passwords, connections, breaker, followers, spool, waiting, indexMemory, revocations, running } =
    rooms
  meter.read('chartgate_connections', () => [clients().open])
  meter.read('chartgate_connections_max', () => [clients().all])
  meter.read('chartgate_connections_refused_total', () => {
    const { all, address } = clients().refused
    return [all, address]
  })
  const queues = (number: (standing: Standing) => number) => (): number[] =>
    [number(passwords()), number(connections())]
  meter.read('chartgate_queue_length', queues(({ length }) => length))
  meter.read('chartgate_queue_waited_total', queues(({ waited }) => waited))
  meter.read('chartgate_queue_wait_seconds_total', queues(({ waitedMs }) => waitedMs / 1000))
  meter.read('chartgate_queue_refused_total', queues(({ refused }) => refused))
  meter.read('chartgate_upstream_connections', () => {
    const { used, large } = connections()
    return [large, used - large]
  })
  meter.read('chartgate_upstream_connections_max', () => [connections().all])
  meter.read('chartgate_upstream_breaker', () => BREAKER_STATES.map(state => Number(state === breaker())))
  meter.read('chartgate_upstream_followers', () => followers().flatMap(each =>
    FOLLOWER_STATES.map(state => Number(state === each))))
  meter.read('chartgate_spool_bytes', () => [spool().used])
  meter.read('chartgate_spool_files', () => [spool().files])
  meter.read('chartgate_spool_max_bytes', () => [spool().max])
  meter.read('chartgate_spooled_bytes_total', () => [spool().written + waiting().written])
  meter.read('chartgate_oci_waiting_bytes', () => [waiting().used])
  meter.read('chartgate_oci_waiting_files', () => [waiting().files])
  meter.read('chartgate_index_memory_bytes', () => [indexMemory().used])
  meter.read('chartgate_index_memory_max_bytes', () => [indexMemory().max])
  meter.read('chartgate_revocations', () => [revocations()])
  meter.read('http_server_active_requests', () => [running()])
}

/** @param standing of the process that counts for all */
export function readLogins (meter: Meter, standing: () => LoginStanding): void {
  meter.read('chartgate_logins_limited_total', () => {
    const { account, address, secret } = standing().refused
    return [account, address, secret]
  })
  meter.read('chartgate_login_records', () => [standing().remembered])
}

/** @param isUp of a process that asks it; undefined: it is not known yet */
export function readRedis (meter: Meter, isUp: () => boolean | undefined): void {
  meter.read('chartgate_redis_up', () => [asNumber(isUp())])
}

/** What the one process knows that answers for all of them. */
export interface WholeRooms {
  /** Since when the key signs that signs now, in seconds since the epoch; undefined: nobody knows. */
  readonly signingSince: () => number | undefined
  readonly robots: () => Iterable<Robot>
  /** When the first certificate of each place ends (CERTIFICATE of table.ts), in seconds since the epoch. */
  readonly certificates: () => readonly (number | undefined)[]
  /** Undefined: nobody looks, or nobody has looked yet. */
  readonly upstreamUp: () => boolean | undefined
  /** The same of each further address. */
  readonly furtherUp: () => readonly (boolean | undefined)[]
  /** Undefined: there are none. */
  readonly workers: () => { readonly wanted: number, readonly listening: number, readonly unheard: number } | undefined
  /** Seconds since the epoch. */
  readonly now: () => number
}

export function readWhole (
  meter: Meter,
  { signingSince, robots, certificates, upstreamUp, furtherUp, workers, now }: WholeRooms
): void {
  meter.read('chartgate_signing_key_age_seconds', () => {
    const since = signingSince()
    return [since === undefined ? undefined : Math.max(0, now() - since)]
  })
  meter.read('chartgate_certificate_expiry_timestamp_seconds', certificates)
  meter.read('chartgate_robots', () => robotsByEnd(robots(), now()))
  meter.read('chartgate_robot_secret_expiry_timestamp_seconds', () => [firstEnd(robots(), now())])
  meter.read('chartgate_upstream_up', () => [asNumber(upstreamUp())])
  meter.read('chartgate_upstream_further_up', () => furtherUp().map(asNumber))
  meter.read('chartgate_workers', () => {
    const { wanted, listening, unheard } = workers() ?? {}
    return [wanted, listening, unheard]
  })
}

function asNumber (value: boolean | undefined): number | undefined {
  return value === undefined ? undefined : Number(value)
}

/** When a robot is without a secret that counts, in seconds since the epoch; those that are disabled are none. */
function endsOf (robots: Iterable<Robot>): number[] {
  return [...robots]
    .filter(({ disabled, secrets }) => !disabled && secrets.length > 0)
    .map(({ secrets }) => Math.max(...secrets.map(({ expires = Infinity }) => expires)))
}

/** In the order of SECRET_STATE (table.ts). */
function robotsByEnd (robots: Iterable<Robot>, now: number): number[] {
  const ends = endsOf(robots)
  const endless = ends.filter(end => end === Infinity).length
  const ended = ends.filter(end => end <= now).length
  const soon = ends.filter(end => end > now && end - now <= SOON).length
  return [endless, ends.length - endless - ended - soon, soon, ended]
}

function firstEnd (robots: Iterable<Robot>, now: number): number | undefined {
  const next = Math.min(...endsOf(robots).filter(end => end > now))
  return next === Infinity ? undefined : next
}
