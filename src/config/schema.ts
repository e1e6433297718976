// The configuration as data: this one table gives the types, the validation, the
// defaults, the environment variables, the JSON Schema for editors and the reference
// in docs/configuration.md.
import { flag, integerOr, list, mapping, type Fitting } from '../files/nodes.ts'
import { DURATION_FORM } from '../files/units.ts'
import type { PolicyRule } from '../policy/rules.ts'
import type { FederationConfig } from '../identity/federation/federation-config.ts'
import type { IssuerConfig } from '../tokens/issuers.ts'
import type { OwnKey } from '../tokens/trusted.ts'
import type { DialectName } from '../words/dialects.ts'
import { count, value } from './schema/kinds.ts'
import { federation } from './schema/federation.ts'
import { oci } from './schema/registry.ts'
import { admin, authz, listen } from './schema/listeners.ts'
import { redis } from './schema/redis.ts'
import { charts, upstream } from './schema/repository.ts'
import { identity, policy } from './schema/rights.ts'
import { audit, log, metrics } from './schema/told.ts'
import { tokens } from './schema/tokens.ts'

export const ConfigSchema = mapping({
  listen,
  admin,
  authz,
  publicUrl: value(
    'the URL that clients use; realm, service and links are built from it, ' +
    'never from a Host header; a path in it is the base path; with listen.tls the default is https',
    'http://localhost:<listen.port>',
    { expected: 'an http or https URL without query' }
  ),
  trustedProxies: list(value('', '', { expected: 'an IP address or CIDR' }), {
    description: 'addresses or CIDRs of proxies in front, whose X-Forwarded-For says who the client is (in the log, ' +
      'and for whose turn it is), and whose X-Forwarded-For, -Proto and -Host and traceparent the upstream is told',
    default: [],
    expected: 'a list of IP addresses or CIDRs'
  }),
  workers: integerOr('auto', { minimum: 1, maximum: 256 }, {
    default: 1,
    description: 'processes that share the public listener; ' +
      'auto: as many as this machine has cores for this process'
  }),
  drain: mapping({
    delay: value(
      'how long clients are served as before after SIGTERM or SIGINT, while /readyz is 503 already and every answer ' +
      'closes its connection: as long as a load balancer takes to notice; at most 5m',
      '0s',
      { pattern: `^0s$|${DURATION_FORM}`, expected: 'a duration of at most 5m, such as 10s, or 0s' }
    )
  }),
  stateDir: value(
    'folder of this chartgate alone: keys made at the first start, the spool and the embedded repository',
    './data',
    { minLength: 1, expected: 'a folder' }
  ),
  upstream,
  redis,
  charts,
  oci,
  tokens,
  limits: mapping({
    logins: mapping({
      perAccount: count('wrong passwords for one account from one address; then it is 429 there', 10),
      perAddress: count(
        'wrong passwords from one address (IPv6: one /64), and apart from them wrong secrets and keys; ten times as ' +
        'many where several accounts came in',
        100
      ),
      within: value('from the first of them, after which they are forgotten', '5m', {
        pattern: DURATION_FORM,
        expected: 'a duration of at most 24h, such as 5m'
      })
    })
  }),
  masterKey: value('a key with every right, for the first steps; empty: none', '', { secret: true }),
  allowDemoKey: flag({
    description: 'lets the key MASTERKEY work beyond loopback',
    default: false,
    expected: 'true or false'
  }),
  log,
  audit,
  metrics,
  accounts: mapping({
    files: list(value('', '', { minLength: 1, expected: 'a file' }), {
      description: 'accounts files (ending in .yaml or .yml) and htpasswd files (any other name)',
      default: [],
      expected: 'a list of files'
    })
  }),
  identity,
  federation,
  policy
}, { $schema: 'http://json-schema.org/draft-07/schema#', title: 'chartgate' })

/** The file's form, with every default in it. */
export type ConfigFile = Fitting<typeof ConfigSchema>

/** Keys that are in the configuration as they are in the file. */
type Unchanged = 'trustedProxies' | 'masterKey' | 'allowDemoKey' | 'log' | 'metrics' | 'identity'
type UnchangedOfCharts = 'depth' | 'contextPath' | 'allowOverwrite' | 'chartPostFormFieldName' | 'provPostFormFieldName'

/** The configuration that the program works with. */
export interface Config extends Pick<ConfigFile, Unchanged> {
  /** The file that it was read from. */
  readonly file?: string
  /** Nothing is written in it, or there is none. */
  readonly isBlank: boolean
  /** Those of …_FILE variables; absolute. */
  readonly secretFiles: readonly string[]
  /** What was written, by key (reloads.ts), to compare a later one with. */
  readonly written: Readonly<Record<string, unknown>>
  /** `tls` left out: plain HTTP. */
  readonly listen: Omit<ConfigFile['listen'], 'tls'> & { readonly tls?: ListenTlsConfig }
  readonly admin: Omit<ConfigFile['admin'], 'tls' | 'token'> & {
    readonly tls?: ConfigFile['admin']['tls']
    /** Left out: nothing has to be sent. */
    readonly token?: string
  }
  /** Left out: no proxy asks. */
  readonly authz?: AuthzConfig
  /** Without a slash at its end. */
  readonly publicUrl: string
  /** The path of publicUrl: '' or '/helm'. */
  readonly basePath: string
  readonly oci: {
    /** There is a registry at /v2/. */
    readonly enabled: boolean
    /** `maxBytes` in bytes. */
    readonly attachments: { readonly perChart: number, readonly maxBytes: number }
  }
  /** How many processes there are. */
  readonly workers: number
  /** Absolute. */
  readonly stateDir: string
  /** `url` undefined is the embedded repository; `keyFile` absolute, undefined for the key of stateDir/keys. */
  readonly upstream: Omit<ConfigFile['upstream'], 'url' | 'urls' | 'key' | 'tls'> & {
    /** The first of several addresses. */
    readonly url: string | undefined
    /** The others. */
    readonly further: readonly string[]
    /** Files absolute. */
    readonly tls?: Partial<ConfigFile['upstream']['tls']>
    readonly keyFile?: string
  }
  /** Left out: this chartgate is alone. */
  readonly redis?: RedisConfig
  /** Seconds. */
  readonly drain: { readonly delay: number }
  /** Sizes in bytes. */
  readonly charts: Pick<ConfigFile['charts'], UnchangedOfCharts> & {
    readonly maxUploadSize: number
    readonly spool: { readonly maxBytes: number }
    readonly index: { /** seconds */ readonly maxAge: number, readonly maxBytes: number }
  }
  readonly limits: {
    /** `within` in seconds. */
    readonly logins: Omit<ConfigFile['limits']['logins'], 'within'> & { readonly within: number }
  }
  /** `file` absolute; left out: standard output. */
  readonly audit: Omit<ConfigFile['audit'], 'file'> & { readonly file?: string }
  /** Absolute. */
  readonly accounts: { readonly files: readonly string[] }
  /** Files absolute, durations in seconds, values of claims as texts. */
  readonly federation: FederationConfig
  readonly policy: readonly PlacedRule[]
  /** `ttl` in seconds. */
  readonly tokens: {
    readonly ttl: number
    readonly issuer: string
    readonly service: string
    /** Files absolute; empty: the keys of stateDir/keys. */
    readonly keys: readonly OwnKey[]
    readonly issuers: readonly IssuerConfig[]
  }
}

export type AuthzConfig = Omit<ConfigFile['authz'], 'dialect'> & { readonly dialect: DialectName }

/** Files absolute. */
export type ListenTlsConfig = Omit<ConfigFile['listen']['tls'], 'clientCa'> & { readonly clientCa?: string }

export interface RedisPlace {
  readonly host: string
  readonly port: number
}

/** Where Redis is, and how it is spoken to. */
export interface RedisConfig extends RedisPlace {
  readonly database: number
  /** Whose master it is; then `host` and `port` are the first of theirs. */
  readonly sentinel?: { readonly master: string, readonly places: readonly RedisPlace[] }
  /** Left out: as its default user, and without a password. */
  readonly username?: string
  readonly password?: string
  /** Files absolute; left out: without TLS. */
  readonly tls?: Partial<ConfigFile['redis']['tls']>
}

/** A rule, and its line in the file that it came from. */
export interface PlacedRule extends PolicyRule { readonly line?: number }

/** The environment variable of a scalar: charts.maxUploadSize is CHARTGATE_CHARTS_MAX_UPLOAD_SIZE. */
export function variableOf (path: readonly string[]): string {
  return ['CHARTGATE', ...path.map(part => part.replace(/[A-Z]/g, '_$&').toUpperCase())].join('_')
}
