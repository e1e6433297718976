// What does each key of the configuration look like in use? Whole examples, which a test
// loads, for docs/configuration.md; each key stands in one of them that is about it.

export interface Example {
  /** The keys that it is about, as in the reference. */
  readonly keys: readonly string[]
  /** When somebody wants this, and what comes of it; Markdown. */
  readonly says: string
  readonly yaml: string
  /** What the environment has beside the file. */
  readonly env?: Readonly<Record<string, string>>
}

export const EXAMPLES: readonly Example[] = [
  {
    keys: ['listen.host', 'listen.port', 'admin.host', 'admin.port'],
    says: 'In a container, where clients and the orchestrator come from outside. Publish the port of `listen`; that of ' +
      '`admin` is for probes alone. Two chartgates on one machine need four ports.',
    yaml: `listen: { host: 0.0.0.0, port: 8080 }
admin: { host: 0.0.0.0, port: 8081 }
`
  },
  {
    keys: ['publicUrl', 'trustedProxies'],
    says: 'Behind a proxy that has the certificate, below a path of its host. Clients use ' +
      '`https://charts.example.com/helm/TENANT`, and the proxy leaves `/helm` where it is. The proxy comes from ' +
      'one of these addresses; without them the log has the proxy\'s address in place of the clients\'. ' +
      '[Behind a proxy](proxies.md) has whole examples.',
    yaml: `publicUrl: https://charts.example.com/helm
trustedProxies: [127.0.0.1, 10.20.0.0/16]
`
  },
  {
    keys: ['workers'],
    says: 'A process for each core: what one tenant asks for costs the others less, and one that ends is replaced. ' +
      'Where a CPU quota holds, a number: `auto` does not see it.',
    yaml: 'workers: auto\n'
  },
  {
    keys: ['stateDir'],
    says: 'Keys, uploads under way and the embedded charts. It belongs to this chartgate alone; a relative path is ' +
      'relative to the file\'s folder.',
    yaml: 'stateDir: /var/lib/chartgate\n'
  },
  {
    keys: ['upstream.url', 'upstream.auth', 'charts.depth', 'charts.contextPath'],
    says: 'In front of a ChartMuseum that is run with `--depth 1 --context-path /museum` and without auth, which ' +
      'nobody but chartgate can reach. The context path is ChartMuseum\'s; that of clients is in `publicUrl`. ' +
      '`chartgate check --upstream` says whether it is so.',
    yaml: `upstream:
  url: http://chartmuseum:8080
  auth: none
charts:
  depth: 1 # org1/index.yaml; 0 is one repository, dynamic any number of segments
  contextPath: /museum
`
  },
  {
    keys: ['upstream.username', 'upstream.password'],
    says: 'In front of one with `--basic-auth-user curator`. The password is better in a file, which ' +
      '`CHARTGATE_UPSTREAM_PASSWORD_FILE` names, than here. [From Basic to bearer](migrate.md#from-basic) says why and how.',
    yaml: `upstream:
  url: http://chartmuseum:8080
  auth: basic
  username: curator
`,
    env: { CHARTGATE_UPSTREAM_PASSWORD: 'PASSWORD' }
  },
  {
    keys: ['upstream.key.file'],
    says: 'Several chartgates in front of one ChartMuseum with `--bearer-auth`: they share the key that it is asked ' +
      'with. Make it with `openssl genrsa -out upstream.pem 2048`; `chartgate keys export` prints its public half for ' +
      '`--auth-cert-path`. One chartgate makes its own and needs no such key.',
    yaml: `upstream:
  url: https://chartmuseum.example.com
  auth: bearer
  key: { file: /etc/chartgate/upstream.pem }
`
  },
  {
    keys: ['charts.maxUploadSize', 'charts.spool.maxBytes'],
    says: 'Larger charts, for a ChartMuseum that is run with `--max-upload-size 104857600` (its own limit is 20 MiB), ' +
      'and room for forty of them that come at once; who finds none is answered 503 with `Retry-After`.',
    yaml: `charts:
  maxUploadSize: 100MiB
  spool: { maxBytes: 4GiB }
`
  },
  {
    keys: ['charts.chartPostFormFieldName', 'charts.provPostFormFieldName'],
    says: 'Clients that have sent forms to a ChartMuseum with `--chart-post-form-field-name package`. Helm\'s plugin ' +
      'cm-push says `chart`.',
    yaml: `charts:
  chartPostFormFieldName: package
  provPostFormFieldName: signature
`
  },
  {
    keys: ['charts.index.maxAge', 'charts.index.maxBytes'],
    says: 'Many clients that ask for large indexes: each is read from the repository once in five seconds at most. What ' +
      'is pushed or deleted through this chartgate is seen at once all the same; what comes past it, or through another ' +
      'one, five seconds later. No `index.yaml` above 512 MiB is read.',
    yaml: `charts:
  index: { maxAge: 5s, maxBytes: 512MiB }
`
  },
  {
    keys: ['tokens.ttl', 'tokens.issuer', 'tokens.service'],
    says: 'Tokens for jobs of an hour, and the words that other programs look for in them. What a token grants counts ' +
      'until it ends: a right that is taken away works so much longer in tokens that are there.',
    yaml: `tokens:
  ttl: 1h
  issuer: https://charts.example.com
  service: charts.example.com
`
  },
  {
    keys: ['tokens.keys'],
    says: 'Keys of your own, from a store of secrets; the second one signed before, and is verified until its last ' +
      'token has ended. Without this `keys rotate` manages those in `stateDir/keys`. [Keys](keys.md).',
    yaml: `tokens:
  keys:
    - { file: /etc/chartgate/keys/2027.pem, alg: ES256, state: active }
    - { file: /etc/chartgate/keys/2026.pem, alg: RS256, state: verify }
`
  },
  {
    keys: ['tokens.issuers'],
    says: 'A token server that is there already, with a certificate, and another one that publishes its keys. Their ' +
      'tokens open what their `access` claim says, whatever the rules here: ' +
      '[what that means](keys.md#a-token-server-that-you-already-run).',
    yaml: `tokens:
  issuers:
    - { name: docker-auth, publicKey: docker_auth.crt, issuer: Acme auth server, audience: charts, pushIncludes: [overwrite, delete] }
    - { name: ci, jwksUrl: "https://ci.example.com/.well-known/jwks.json", issuer: "https://ci.example.com", clockSkew: 30s }
`
  },
  {
    keys: ['masterKey'],
    says: 'A key with every right, for the first steps, without any account. It is better in a file that nobody else ' +
      'can read, which `CHARTGATE_MASTER_KEY_FILE` names: `(umask 077 && openssl rand -hex 32 > master.key)`. Take it ' +
      'away when there are accounts.',
    yaml: 'publicUrl: http://localhost:5001\n',
    env: { CHARTGATE_MASTER_KEY: '(the text of master.key)' }
  },
  {
    keys: ['allowDemoKey'],
    says: 'The walkthrough in a container: the key that everybody knows works, although the listener is reachable from ' +
      'elsewhere. Publish such a port on loopback only.',
    yaml: `listen: { host: 0.0.0.0 }
masterKey: MASTERKEY
allowDemoKey: true
`
  },
  {
    keys: ['log.level', 'log.reads'],
    says: 'Who reads what, for an audit; a line for each read. `level: warn` in its place leaves refusals and outages. ' +
      '[The log and its reasons](reasons.md) has every field.',
    yaml: 'log: { level: info, reads: true }\n'
  },
  {
    keys: ['accounts.files'],
    says: 'An accounts file that `chartgate user` and `robot` write, and an htpasswd file with bcrypt hashes that is there ' +
      'already. They are followed within a second. [Accounts and policy](accounts.md).',
    yaml: `accounts:
  files: [accounts.yaml, /etc/nginx/htpasswd]
`
  },
  {
    keys: ['policy'],
    says: 'Everybody reads what is public, whoever has an account reads all, a team and its robot publish in their own ' +
      'tenants, and admins may do everything. `chartgate explain` says what comes of it.',
    yaml: `policy:
  - { repositories: ["public/*"], subjects: [anonymous], actions: [pull] }
  - { repositories: ["**"], subjects: [authenticated], actions: [pull] }
  - { repositories: ["team-a/*"], subjects: ["group:team-a", "robot:team-a-ci"], actions: [pull, push] }
  - { repositories: ["**"], subjects: ["group:admins"], actions: [pull, push, overwrite, delete] }
`
  }
]

/** As the document has them: a heading with the keys, when it is wanted, and the file. */
export function examplesMarkdown (): string {
  return EXAMPLES.map(({ keys, says, yaml, env = {} }) => {
    const variables = Object.entries(env).map(([name, value]) => `# in the environment: ${name}=${value}\n`).join('')
    return `### ${keys.map(key => `\`${key}\``).join(', ')}\n\n${says}\n\n\`\`\`yaml\n${variables}${yaml}\`\`\`\n`
  }).join('\n')
}
