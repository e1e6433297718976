// The configuration as data: this one table gives the types, the validation, the
// defaults, the environment variables, the JSON Schema for editors and the reference
// in docs/configuration.md.
import { ACTIONS, type Action } from '../words/access.ts'
import type { PolicyRule } from '../policy/rules.ts'
import { NAME_FORM, ROBOT_NAME_FORM, SUBJECT_FORM } from '../words/subject.ts'
import type { IssuerConfig } from '../tokens/issuers.ts'
import { OWN_ALGORITHMS } from '../tokens/keys.ts'
import type { KeyState } from '../tokens/ring.ts'
import type { OwnKey } from '../tokens/trusted.ts'
import {
  flag,
  integer,
  integerOr,
  list,
  mapping,
  oneOf,
  text,
  type Fitting,
  type Node,
  type SchemaNode
} from '../files/nodes.ts'
import { DURATION_FORM, SIZE_FORM } from '../files/units.ts'
import { MIN_VERSIONS } from '../tls/material.ts'
import { DIALECTS, type DialectName } from '../words/dialects.ts'

const port = (description: string, fallback: number): Node<number> => integer({
  description,
  default: fallback,
  minimum: 0,
  maximum: 65535,
  expected: 'a port number'
})
const count = (description: string, fallback: number): Node<number> => integer({
  description,
  default: fallback,
  minimum: 1,
  maximum: 1_000_000,
  expected: 'a whole number from 1 to 1000000'
})
const value = (description: string, fallback: string, more: SchemaNode = {}): Node<string> =>
  text({ description, default: fallback, expected: 'a text', ...more })
const size = (description: string, fallback: string): Node<string> =>
  value(description, fallback, { pattern: SIZE_FORM, expected: 'a size such as 20MiB' })
/** @param option ChartMuseum's */
const formField = (of: string, option: string, fallback: string): Node<string> =>
  value(`the input of a form that holds ${of}, as ChartMuseum's \`${option}\``, fallback, {
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
    expected: 'a name such as package'
  })

const file = (description: string): Node<string> => value(description, '', { expected: 'a file' })

const SEGMENT = '([A-Za-z0-9][A-Za-z0-9._-]*|\\*)'

const Rule = mapping({
  repositories: list(text({
    pattern: `^(${SEGMENT}/)*(${SEGMENT}|\\*\\*)$`,
    expected: 'a tenant pattern such as team-a/* (whole segments: * is one, ** is the rest)'
  }), {
    minItems: 1,
    description: 'tenant patterns: whole segments, `*` is one, `**` is the rest',
    expected: 'a list of tenant patterns'
  }),
  subjects: list(text({
    pattern: SUBJECT_FORM,
    expected: 'a subject: user:NAME, group:NAME, robot:NAME, cert:NAME, anonymous or authenticated'
  }), {
    minItems: 1,
    description: 'who the rule is for',
    expected: 'a list of subjects: user:NAME, group:NAME, robot:NAME, cert:NAME, anonymous, authenticated'
  }),
  actions: list(oneOf<Action>(ACTIONS, { description: 'what' }), {
    minItems: 1,
    description: 'what they may do',
    expected: `a list of ${ACTIONS.join(', ')}`
  })
}, { expected: 'a rule with repositories, subjects and actions' })

const Key = mapping({
  file: text({
    minLength: 1,
    description: 'a private key in PEM; for `verify` the public one is enough',
    expected: 'a file'
  }),
  alg: oneOf(OWN_ALGORITHMS, { description: 'what it is for: RS256 is RSA, ES256 is P-256, EdDSA is Ed25519' }),
  state: oneOf<KeyState>(['active', 'verify', 'retired'], {
    description: '`active` signs, `verify` is only verified and published, `retired` is neither'
  })
}, { expected: 'a key with file, alg and state' })

const line = (description: string): Node<string> => text({ minLength: 1, description, expected: 'a text' })
const IssuerNode = mapping({
  name: text({
    pattern: ROBOT_NAME_FORM,
    description: 'stands in subjects: issuer:NAME/SUB',
    expected: 'a name of lower-case letters, digits, ".", "_" and "-"'
  })
}, { expected: 'an issuer with name, and publicKey, jwksFile or jwksUrl' }, {
  publicKey: line('a file with its public key or certificate in PEM'),
  jwksFile: line('a file with its keys as a JSON Web Key Set'),
  jwksUrl: line('where it publishes its keys; https, or http on loopback'),
  issuer: line('what `iss` has to be'),
  audience: line('what `aud` has to name'),
  clockSkew: text({
    pattern: `^0s$|${DURATION_FORM}`,
    description: 'how much its clock may differ from ours; 10s if left out',
    expected: 'a duration of at most 5m, such as 10s'
  }),
  pushIncludes: list(oneOf(['overwrite', 'delete'], { description: 'what' }), {
    description: 'what its `push` means beyond storing a new version',
    expected: 'a list of overwrite, delete'
  })
})

const CertificateNode = mapping({
  name: text({
    pattern: ROBOT_NAME_FORM,
    description: 'stands in subjects: cert:NAME',
    expected: 'a name of lower-case letters, digits, ".", "_" and "-"'
  })
}, { expected: 'a certificate with name, and subject, dns, email, uri or ip' }, {
  subject: line('the whole subject of the certificate, as RFC 4514 writes it: CN=ci,OU=Build,O=Example'),
  dns: line('a DNS name among its alternative names'),
  email: line('a mail address among its alternative names'),
  uri: line('a URI among its alternative names, such as a SPIFFE ID'),
  ip: line('an IP address among its alternative names; not where it comes from'),
  groups: list(text({ pattern: NAME_FORM, expected: 'the name of a group' }), {
    description: 'the groups that it is in',
    expected: 'a list of groups'
  })
})

export const ConfigSchema = mapping({
  listen: mapping({
    host: value('address of the public listener; localhost is 127.0.0.1', '127.0.0.1', { minLength: 1 }),
    port: port('port of the public listener', 5001),
    maxConnections: count('connections that may be open; more are closed as they come', 8_192),
    maxConnectionsPerAddress: count(
      'the same from one address (IPv6: one /64); not of trustedProxies, which bring everybody\'s',
      2_048
    ),
    tls: mapping({
      cert: file('its certificate in PEM, and behind it those that lead to an authority; left out: plain HTTP'),
      key: file('the private key of that certificate in PEM, without a password'),
      minVersion: {
        ...oneOf(MIN_VERSIONS, { description: 'the least version of TLS that it speaks', default: '1.2' }),
        expected: '"1.2" or "1.3", in quotes'
      },
      clientCa: file(
        'certificate authorities in PEM: clients may show a certificate of theirs instead of sending credentials ' +
        '(identity.certificates); left out: none is asked for'
      )
    })
  }),
  admin: mapping({
    host: value(
      'address of the admin listener: /healthz (the process answers), /readyz ' +
      '(the chart repository answers too, and nothing is shutting down; else 503) and /metrics',
      '127.0.0.1',
      { minLength: 1 }
    ),
    port: port('port of the admin listener', 5002),
    tls: mapping({
      cert: file('its certificate in PEM, as listen.tls.cert; left out: plain HTTP'),
      key: file('the private key of that certificate in PEM, without a password')
    }),
    token: value(
      'what has to be sent as Bearer for all but /healthz and a plain /readyz; empty: nothing has to be',
      '',
      { secret: true }
    )
  }),
  authz: mapping({
    listen: mapping({
      host: value('address of the listener that proxies ask', '127.0.0.1', { minLength: 1 }),
      port: port('its port: they ask whether a request may pass (docs/forward-auth.md); 0: there is none', 0)
    }),
    trustedProxies: list(value('', '', { expected: 'an IP address or CIDR' }), {
      description: 'addresses or CIDRs of the proxies that may ask; everybody else is refused',
      default: [],
      expected: 'a list of IP addresses or CIDRs'
    }),
    dialect: oneOf(['none', ...DIALECTS], {
      description: 'which proxy asks, and so where it says which request it asks about',
      default: 'none'
    }),
    push: flag({
      description: 'lets uploads and deletes pass, into which nobody looks on this way',
      default: false,
      expected: 'true or false'
    })
  }),
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
  upstream: mapping({
    url: value(
      'the chart repository, for example http://chartmuseum:8080; left out: the embedded repository',
      '',
      { expected: 'an http or https URL without path (charts.contextPath is for the path)' }
    ),
    auth: oneOf(['none', 'basic', 'bearer'], {
      description: 'how the repository is asked: ' +
        '`bearer` mints a token for one tenant and one action with the upstream key',
      default: 'bearer'
    }),
    username: value('for `basic`', ''),
    password: value('for `basic`', '', { secret: true }),
    key: mapping({
      file: value(
        'for `bearer`: a private key of your own in PEM (RSA, 2048 bits and more), for several chartgates in front ' +
        'of one ChartMuseum; left out: stateDir/keys/upstream.pem, which is made at the first start',
        '',
        { expected: 'a file' }
      )
    }),
    tls: mapping({
      ca: file('certificate authorities in PEM that its certificate has to be of; left out: those that Node.js knows'),
      cert: file('a certificate in PEM to show it'),
      key: file('the private key of that certificate in PEM, without a password'),
      serverName: value('the name that its certificate has to be for; left out: the host in upstream.url', '', {
        pattern: '^[A-Za-z0-9._-]*$',
        expected: 'the name of a host'
      })
    })
  }),
  charts: mapping({
    depth: integerOr('dynamic', { minimum: 0, maximum: 10 }, {
      default: 2,
      description: 'how many path segments name a tenant, as ChartMuseum is run: 0, 1, 2, … or dynamic'
    }),
    contextPath: value("the upstream's own context path", '', {
      pattern: '^(/[A-Za-z0-9][A-Za-z0-9._-]*)*$',
      expected: 'a path such as /charts, or nothing'
    }),
    maxUploadSize: size("largest upload; not above ChartMuseum's own limit", '20MiB'),
    chartPostFormFieldName: formField('the chart', '--chart-post-form-field-name', 'chart'),
    provPostFormFieldName: formField("a chart's provenance", '--prov-post-form-field-name', 'prov'),
    spool: mapping({
      maxBytes: size(
        'room for uploads that are being inspected, in stateDir/spool; each worker has an equal share',
        '1GiB'
      )
    }),
    index: mapping({
      maxAge: value('how long an index is answered from memory; 0s: every answer is of after its request', '0s', {
        pattern: `^0s$|${DURATION_FORM}`,
        expected: 'a duration such as 1s, or 0s'
      }),
      maxBytes: size('memory for indexes in each worker, and so the largest index.yaml that is read', '256MiB')
    })
  }),
  tokens: mapping({
    ttl: value('lifetime of a token', '5m', {
      pattern: DURATION_FORM,
      expected: 'a duration of at least 60s, such as 5m'
    }),
    issuer: value('`iss` of tokens; default: publicUrl', ''),
    service: value('`aud` of tokens and the service of challenges; default: host and port of publicUrl', ''),
    keys: list(Key, {
      description: 'keys of your own for tokens, one of them active; ' +
        'none: keys are made and rotated in stateDir/keys',
      default: [],
      expected: 'a list of keys with file, alg and state'
    }),
    issuers: list(IssuerNode, {
      description: 'token servers of others whose access claim counts',
      default: [],
      expected: 'a list of issuers with name, and publicKey, jwksFile or jwksUrl'
    })
  }),
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
  log: mapping({
    level: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      description: 'least level that is logged',
      default: 'info'
    }),
    reads: flag({
      description: 'logs allowed reads too, at info; ' +
        'without it refusals (warn) and changes (info) are logged, as far as log.level goes',
      default: false,
      expected: 'true or false'
    })
  }),
  audit: mapping({
    file: value(
      'where the audit log is appended to; left out: standard output, one stream with the log',
      '',
      { expected: 'a file' }
    ),
    reads: flag({
      description: 'records allowed reads too; without it refusals and changes are recorded',
      default: false,
      expected: 'true or false'
    }),
    required: flag({
      description: 'a change that cannot be recorded is not made: its intent is on the disk before, ' +
        'and its outcome before the answer; needs audit.file',
      default: false,
      expected: 'true or false'
    })
  }),
  metrics: mapping({
    tenants: flag({
      description: 'counts requests of each tenant too: of those in rules without a wildcard and of those that were ' +
        'answered with charts, 1,000 at most',
      default: false,
      expected: 'true or false'
    })
  }),
  accounts: mapping({
    files: list(value('', '', { minLength: 1, expected: 'a file' }), {
      description: 'accounts files (ending in .yaml or .yml) and htpasswd files (any other name)',
      default: [],
      expected: 'a list of files'
    })
  }),
  identity: mapping({
    certificates: list(CertificateNode, {
      description: 'whom certificates of clients stand for (listen.tls.clientCa); the first that fits counts',
      default: [],
      expected: 'a list of certificates with name, and subject, dns, email, uri or ip'
    })
  }),
  policy: list(Rule, {
    description: 'rules; they only add, and what `anonymous` may do everyone may',
    default: [],
    expected: 'a list of rules'
  })
}, { $schema: 'http://json-schema.org/draft-07/schema#', title: 'chartgate' })

/** The file's form, with every default in it. */
export type ConfigFile = Fitting<typeof ConfigSchema>

/** Keys that are in the configuration as they are in the file. */
type Unchanged = 'trustedProxies' | 'masterKey' | 'allowDemoKey' | 'log' | 'metrics' | 'identity'
type UnchangedOfCharts = 'depth' | 'contextPath' | 'chartPostFormFieldName' | 'provPostFormFieldName'

/** The configuration that the program works with. */
export interface Config extends Pick<ConfigFile, Unchanged> {
  /** The file that it was read from. */
  readonly file?: string
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
  /** How many processes there are. */
  readonly workers: number
  /** Absolute. */
  readonly stateDir: string
  /** `url` undefined is the embedded repository; `keyFile` absolute, undefined for the key of stateDir/keys. */
  readonly upstream: Omit<ConfigFile['upstream'], 'url' | 'key' | 'tls'> & {
    readonly url: string | undefined
    /** Files absolute. */
    readonly tls?: Partial<ConfigFile['upstream']['tls']>
    readonly keyFile?: string
  }
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

/** A rule, and its line in the file that it came from. */
export interface PlacedRule extends PolicyRule { readonly line?: number }

/** The environment variable of a scalar: charts.maxUploadSize is CHARTGATE_CHARTS_MAX_UPLOAD_SIZE. */
export function variableOf (path: readonly string[]): string {
  return ['CHARTGATE', ...path.map(part => part.replace(/[A-Z]/g, '_$&').toUpperCase())].join('_')
}
