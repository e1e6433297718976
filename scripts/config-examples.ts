// What does each key look like in use? An example for every part of the configuration,
// shown in docs/configuration.md. A test loads each, and sees that no key is left out.

/** By the first word of its keys. */
export const EXAMPLES: Readonly<Record<string, string>> = {
  listen: `# in a container: reached from outside of it
listen: { host: 0.0.0.0, port: 5001 }
---
# on a small machine, where few come from one address
listen: { maxConnections: 2000, maxConnectionsPerAddress: 200 }
---
# with TLS; both files are read again when they change
listen:
  port: 443
  tls:
    cert: /run/secrets/tls/tls.crt
    key: /run/secrets/tls/tls.key
    minVersion: "1.2"
    clientCa: /run/secrets/clients/ca.crt # left out: clients are asked for no certificate
publicUrl: https://charts.example.com
`,
  admin: `# the kubelet asks from outside of the container too; publish it nowhere else
admin: { host: 0.0.0.0, port: 5002 }
---
# over TLS, and closed but for the kubelet's probes; better in a file that CHARTGATE_ADMIN_TOKEN_FILE names
admin:
  tls: { cert: admin.crt, key: admin.key }
  token: made-with-openssl-rand-hex-32
`,
  authz: `# an nginx on this machine asks whether a request to ChartMuseum may pass
authz:
  listen: { host: 127.0.0.1, port: 5003 }
  trustedProxies: [127.0.0.1]
  dialect: nginx
  push: false
upstream: { url: http://chartmuseum:8080 }
`,
  publicUrl: `# behind a proxy that serves other things too, with TLS
publicUrl: https://example.com/helm
`,
  trustedProxies: `# an nginx on this machine, and the load balancers' network
trustedProxies: [127.0.0.1, 10.20.0.0/16]
`,
  workers: `workers: 4 # or auto
`,
  drain: `# behind a load balancer that looks at /readyz every two seconds, and believes it the third time
drain: { delay: 10s }
`,
  stateDir: `stateDir: /var/lib/chartgate
`,
  upstream: `# in front of a ChartMuseum that takes nothing but chartgate's key
upstream:
  url: http://chartmuseum:8080
  auth: bearer
  key: { file: /run/secrets/upstream.pem } # left out: made at the first start
---
# in front of one with Basic; the password comes from CHARTGATE_UPSTREAM_PASSWORD_FILE, or stands here
upstream:
  url: http://chartmuseum:8080
  auth: basic
  username: curator
  password: the-password-of-chartmuseum
---
# two ChartMuseums with one storage, both with --always-regenerate-chart-index and --disable-statefiles: the second is read from while the first is away
upstream:
  urls: [http://chartmuseum-0:8080, http://chartmuseum-1:8080]
---
# over TLS, with an authority of your own; its certificate is always verified
upstream:
  url: https://chartmuseum:8443
  tls:
    ca: /run/secrets/chartmuseum/ca.crt
    serverName: chartmuseum.internal # left out: the host in the URL
    cert: /run/secrets/chartmuseum/tls.crt # with key: a certificate to show it
    key: /run/secrets/chartmuseum/tls.key
`,
  redis: `# for several chartgates in front of one ChartMuseum (docs/scaling.md); the password comes from
# CHARTGATE_REDIS_PASSWORD_FILE, or stands here
redis:
  url: redis://redis:6379/0
  username: chartgate # left out: its default user
  password: the-password-of-redis
---
# over TLS
redis:
  url: rediss://redis:6380
  tls:
    ca: /run/secrets/redis/ca.crt # left out: the authorities that Node.js knows
    cert: /run/secrets/redis/tls.crt # with key: a certificate to show it
    key: /run/secrets/redis/tls.key
---
# Sentinels that know where the master is, and are asked without a password
redis:
  url: redis://sentinel-0:26379,sentinel-1:26379,sentinel-2:26379
  sentinel: mymaster
`,
  charts: `# a ChartMuseum with --depth=1 --context-path=/charts --max-upload-size=52428800
charts:
  depth: 1
  contextPath: /charts
  allowOverwrite: true # with --allow-overwrite too
  maxUploadSize: 50MiB
  chartPostFormFieldName: chart
  provPostFormFieldName: prov
  spool: { maxBytes: 2GiB }
  index:
    maxAge: 5s # a chart may be in the index so much later
    maxBytes: 512MiB
`,
  oci: `# the proxy sends https://example.com/helm/ and https://example.com/v2/ here, as they are
publicUrl: https://example.com/helm
oci: { enabled: true, atRoot: true }
---
# ten thousand signatures and SBOMs for a chart, in a gigabyte for a tenant
oci:
  attachments: { perChart: 10000, maxBytes: 1GiB }
---
# the chart repository alone
oci: { enabled: false }
`,
  tokens: `tokens:
  ttl: 10m
  issuer: https://charts.example.com
  service: charts.example.com
  keys:
    - { file: new.pem, alg: ES256, state: active }
    - { file: old.pem, alg: RS256, state: verify }
  issuers:
    - name: ourtokens
      publicKey: server.pem
      issuer: https://auth.example.com
      audience: charts.example.com
      clockSkew: 30s
      pushIncludes: [overwrite, delete]
      oci: true
`,
  limits: `# fewer guesses, in a longer time; a person who mistypes waits longer too
limits:
  logins: { perAccount: 5, perAddress: 50, within: 15m }
`,
  masterKey: `# better in a file that CHARTGATE_MASTER_KEY_FILE names; take it away when there are accounts
masterKey: made-with-openssl-rand-hex-32
`,
  allowDemoKey: `# for a walkthrough in a container, where nobody else comes to
listen: { host: 0.0.0.0 }
masterKey: MASTERKEY
allowDemoKey: true
`,
  log: `log: { level: info, reads: true }
`,
  audit: `# logrotate renames the file and sends SIGHUP: docs/operations.md
audit:
  file: /var/log/chartgate/audit.log
  reads: false
  required: true
`,
  metrics: `metrics: { tenants: true }
`,
  accounts: `accounts:
  files: [people.yaml, robots.yaml, htpasswd]
`,
  identity: `# clients that show a certificate of an authority in listen.tls.clientCa
listen: { tls: { cert: tls.crt, key: tls.key, clientCa: clients.crt } }
identity:
  certificates:
    - { name: team-a-ci, subject: "CN=ci,OU=Build,O=Example", groups: [team-a] }
    - { name: flux, uri: "spiffe://example.com/ns/flux-system/sa/source-controller" }
    - { name: runner, dns: runner.example.com }
    - { name: backup, email: backup@example.com }
policy:
  - { repositories: ["team-a/*"], subjects: ["cert:flux", "group:team-a"], actions: [pull] }
`,
  federation: `# a workflow of GitHub and a service account of a cluster push with the identity that they have
federation:
  providers:
    - name: github
      issuer: https://token.actions.githubusercontent.com
      kind: github
      audience: https://charts.example.com
    - name: cluster
      issuer: https://kubernetes.default.svc.cluster.local
      kind: kubernetes
      audience: https://charts.example.com
      jwksUrl: https://kubernetes.default.svc/openid/v1/jwks
      ca: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
      tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token
  rules:
    - provider: github
      match:
        repository_id: 74
        repository_owner_id: 65
        workflow_file: release.yml
        ref: refs/heads/main
      subject: ci:github:{repository}
      repositories: ["team-a/*"]
      actions: [pull, push]
      maxLifetime: 15m
    - provider: cluster
      match:
        kubernetes.io/namespace: ci
        kubernetes.io/serviceaccount/name: publisher
      subject: ci:cluster:{kubernetes.io/namespace}/{kubernetes.io/serviceaccount/name}
      groups: [publishers]
policy:
  - { repositories: ["team-b/*"], subjects: ["group:publishers"], actions: [pull, push] }
`,
  policy: `policy:
  - { repositories: ["public/*"], subjects: [anonymous], actions: [pull] }
  - { repositories: ["team-a/**"], subjects: ["group:team-a"], actions: [pull, push, overwrite, delete] }
  - { repositories: ["team-a/*"], subjects: ["robot:team-a-ci", "user:alice"], actions: [pull, push] }
  - { repositories: ["**"], subjects: [authenticated], actions: [pull] }
`
}
