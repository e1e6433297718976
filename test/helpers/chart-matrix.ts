// Values that the Helm chart is tried with: each way to run it, and everything that it can
// be told; and values that are refused, with the sentence that each gets.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ROOT } from './processes.ts'

/** Every key of the configuration, as the example file has it; a secret has no place in a ConfigMap. */
function everyKey (): object {
  const { upstream, stateDir, listen, admin, accounts, ...config } = parse(readFileSync(join(ROOT, 'config/chartgate.example.yaml'), 'utf8')) as Record<string, object>
  const { url, ...others } = upstream as unknown as Record<string, unknown>
  return { ...config, upstream: others, listen: { ...listen, host: '::' }, admin: { ...admin, host: '::' } }
}

const URL = 'http://chartmuseum.charts.svc:8080'
const HELM = { publicUrl: 'https://charts.example.com/helm' }
const ROUTE = { httpRoute: { enabled: true, parentRefs: [{ name: 'web', namespace: 'gateways', sectionName: 'https' }], annotations: { a: 'b' } } }
const FROM = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }]
const PROXIES = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'gateways' } }, podSelector: { matchLabels: { app: 'web' } } }]
const asked = (more: object = {}): object => ({ listen: { port: 5003 }, trustedProxies: ['10.244.0.0/16'], dialect: 'gateway-api', ...more })
const ingress = (controller: string, tls = ''): object => ({ config: { ...HELM, charts: { maxUploadSize: '50MiB' } }, tls: { existingSecret: tls }, ingress: { enabled: true, className: 'x', controller, tlsSecret: 'charts-tls', annotations: { 'cert-manager.io/cluster-issuer': 'x' } } })

export const GOOD: Readonly<Record<string, object>> = {
  'no values': {},
  'a ChartMuseum that is there': { upstream: { url: URL } },
  'one that asks nobody, and is named in config': { config: { upstream: { url: URL, auth: 'none' } } },
  'one at two addresses': { config: { upstream: { urls: [URL, 'http://museum-1:8080'] } } },
  'one with Basic': { upstream: { url: URL, existingSecret: 'museum-password' }, config: { upstream: { auth: 'basic', username: 'curator' } }, networkPolicy: { chartmuseumSelector: { app: 'chartmuseum' } } },
  'a ChartMuseum beside three gateways, behind a Gateway': { chartmuseum: { enabled: true }, replicaCount: 3, config: HELM, ...ROUTE },
  'a ChartMuseum over a bucket, gateways that come and go, and all that watches them': {
    chartmuseum: { enabled: true, env: { STORAGE: 'amazon', STORAGE_AMAZON_BUCKET: 'charts', BEARER_AUTH: 'false', AUTH_ANONYMOUS_GET: 'true' }, existingSecret: 'bucket', persistence: { enabled: false }, serviceAccountAnnotations: { role: 'reader' }, image: { digest: `sha256:${'a'.repeat(64)}` } },
    autoscaling: { enabled: true, minReplicas: 3 },
    podDisruptionBudget: { maxUnavailable: '25%' },
    config: { ...HELM, charts: { depth: 1, contextPath: '/museum', maxUploadSize: '1GiB', chartPostFormFieldName: 'package' } },
    serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
    networkPolicy: { adminFrom: FROM },
    alerts: { enabled: true, labels: { release: 'prometheus' } },
    dashboard: { enabled: true }
  },
  'nginx in front': ingress('nginx', 'charts-tls'),
  'the retired one': ingress('ingress-nginx', 'charts-tls'),
  'HAProxy in front': ingress('haproxy', 'charts-tls'),
  'the other HAProxy': ingress('haproxy-ingress', 'charts-tls'),
  ...Object.fromEntries(['nginx', 'ingress-nginx', 'haproxy', 'haproxy-ingress', ''].map(controller => [`several gateways and affinity by address, behind ${controller || 'any controller'}`, { ...ingress(controller), upstream: { url: URL }, replicaCount: 2, service: { sessionAffinity: 'ClientIP' } }])),
  'Contour in front': ingress('contour'),
  'the registry at the root of the host, behind an ingress and a Gateway': { config: { ...HELM, oci: { atRoot: true } }, ingress: { enabled: true }, ...ROUTE },
  'Traefik in front': ingress('traefik'),
  'TLS by itself, on both listeners, with secrets from everywhere': {
    config: { publicUrl: 'https://charts.example.com', admin: { tls: { cert: '/run/chartgate/admin/tls.crt', key: '/run/chartgate/admin/tls.key' } }, listen: { tls: { minVersion: '1.3' } } },
    tls: { existingSecret: 'charts-tls' },
    service: { type: 'LoadBalancer', port: 443, annotations: { a: 'b' } },
    masterKey: { existingSecret: 'master-key' },
    adminToken: { existingSecret: 'admin-token' },
    files: [{ existingSecret: 'admin-tls', mountPath: '/run/chartgate/admin' }, { existingConfigMap: 'authority', mountPath: '/run/chartgate/authority' }],
    env: { NODE_EXTRA_CA_CERTS: '/run/chartgate/authority/ca.crt' },
    serviceMonitor: { enabled: true, tlsConfig: { serverName: 'charts.example.com' } },
    networkPolicy: { adminFrom: FROM }
  },
  'keys and accounts of one\'s own, in the middle of a rotation': {
    upstream: { url: URL },
    replicaCount: 2,
    keys: { existingSecret: 'own-keys', tokens: [{ key: 'new.pem', alg: 'ES256', state: 'active' }, { key: 'token.pem', alg: 'RS256', state: 'verify' }] },
    accounts: { existingSecret: 'people', files: ['accounts.yaml', 'htpasswd'] },
    test: { tenant: 'team/web', existingSecret: 'tester' }
  },
  'keys that only the configuration names': {
    upstream: { url: URL },
    config: { upstream: { key: { file: '/run/chartgate/vault/upstream.pem' } }, tokens: { keys: [{ file: '/run/chartgate/vault/token.pem', alg: 'RS256', state: 'active' }] } },
    files: [{ existingSecret: 'own-keys', mountPath: '/run/chartgate/vault' }]
  },
  'the embedded repository with keys and accounts from Secrets': { keys: { existingSecret: 'own-keys' }, accounts: { existingSecret: 'people' }, masterKey: { existingSecret: 'master-key' }, persistence: { existingClaim: 'restored' } },
  'gateways that share a Redis': { upstream: { url: URL }, replicaCount: 2, redis: { existingSecret: 'redis' }, config: { redis: { url: 'rediss://redis.cache.svc:6380/1', username: 'chartgate' }, charts: { index: { maxAge: '5s' } } } },
  'no drain, so a preStop': { upstream: { url: URL }, replicaCount: 2, config: { drain: { delay: '0s' } } },
  'a long drain': { upstream: { url: URL }, config: { drain: { delay: '2m' } } },
  'no tenants': { config: { charts: { depth: 0 } } },
  'tenants of any depth': { config: { charts: { depth: 'dynamic' } }, chartmuseum: { enabled: true } },
  'deep tenants': { config: { charts: { depth: 3 } } },
  'every key of the configuration': { config: everyKey(), image: { repository: 'registry.example.com/chartgate', tag: '1.2.3', digest: `sha256:${'b'.repeat(64)}`, pullSecrets: [{ name: 'registry' }] } },
  'other ports and another folder': { config: { listen: { port: 8080 }, admin: { port: 9090 }, stateDir: '/var/lib/chartgate/state', workers: 2 } },
  'everything that places a pod': {
    persistence: { storageClassName: 'fast', size: '100Gi', accessModes: ['ReadWriteOncePod'] },
    podAnnotations: { a: 'b' },
    podLabels: { team: 'platform' },
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'a', operator: 'Exists' }],
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }] } } },
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' }],
    priorityClassName: 'high',
    networkPolicy: { enabled: false },
    nameOverride: 'charts'
  },
  'a proxy that asks, and leads to a ChartMuseum that is there': { upstream: { url: URL }, replicaCount: 2, config: { publicUrl: 'https://charts.example.com', authz: asked() }, networkPolicy: { authzFrom: PROXIES, chartmuseumSelector: { app: 'chartmuseum' } } },
  'a proxy that asks, and leads to a ChartMuseum beside the gateways, also with uploads': { chartmuseum: { enabled: true }, config: { ...HELM, charts: { contextPath: '/helm' }, authz: asked({ listen: { port: 9000 }, dialect: 'nginx', push: true }) }, networkPolicy: { authzFrom: PROXIES } },
  'a proxy that asks, where there are no policies': { upstream: { url: URL }, config: { authz: asked({ dialect: 'traefik' }) }, networkPolicy: { enabled: false } },
  'a name that is as long as can be': { fullnameOverride: 'a'.repeat(60), chartmuseum: { enabled: true }, replicaCount: 2 }
}

/** Values, and what is said of them. */
export const BAD: readonly (readonly [values: object, sentence: RegExp])[] = [
  [{ replicaCount: 2 }, /the embedded repository belongs to one gateway: replicaCount: 1 and no autoscaling, or upstream\.url or chartmuseum\.enabled/],
  [{ autoscaling: { enabled: true } }, /the embedded repository belongs to one gateway/],
  [{ upstream: { url: URL }, replicaCount: 2, config: { charts: { index: { maxAge: '5s' } } } }, /several gateways do not tell each other of a push, so each would answer an old index for config\.charts\.index\.maxAge: 0s, or config\.redis\.url, or replicaCount: 1/],
  [{ replicaCount: 2, config: { upstream: { urls: [URL, 'http://museum-1:8080'] } } }, /several gateways do not tell each other of a push, so each could read an old index at the second of config\.upstream\.urls/],
  [{ upstream: { url: 'http://a' }, config: { redis: { url: 'redis://gate:nobody-should-read-this@redis' } } }, /config\.redis\.url has a password in it/],
  [{ upstream: { url: 'http://a' }, config: { redis: { url: 'redis://redis' }, charts: { index: { maxAge: '1m' } } } }, /config\.charts\.index\.maxAge is more than 10s/],
  [{ redis: { existingSecret: 'redis' } }, /redis\.existingSecret is for the Redis of config\.redis\.url, which is not set/],
  [{ upstream: { url: URL }, config: { redis: { url: 'redis://redis', password: 'nobody-should-read-this' } } }, /config\.redis\.password is a secret.* redis\.existingSecret/],
  [{ upstream: { url: URL }, chartmuseum: { enabled: true } }, /chartmuseum\.enabled makes a ChartMuseum, and upstream\.url names another one: choose one of them/],
  [{ config: { upstream: { url: URL } }, chartmuseum: { enabled: true } }, /choose one of them/],
  [{ config: { upstream: { urls: [URL] } }, chartmuseum: { enabled: true } }, /choose one of them/],
  [{ upstream: { url: URL }, config: { upstream: { urls: [URL] } } }, /config\.upstream\.urls names the chart repository at all its addresses: leave upstream\.url out/],
  [{ upstream: { url: URL }, config: { upstream: { url: `${URL}1` } } }, /upstream\.url and config\.upstream\.url differ: leave the second one out/],
  [{ chartmuseum: { enabled: true }, config: { upstream: { auth: 'none' } } }, /takes only the gateway's tokens, and config\.upstream\.auth is none: leave it out/],
  [{ upstream: { url: URL }, autoscaling: { enabled: true, minReplicas: 9 } }, /autoscaling\.minReplicas is above autoscaling\.maxReplicas/],
  [{ chartmuseum: { enabled: true }, config: { upstream: { key: { file: '/own.pem' } } } }, /chartmuseum\.enabled takes the public key of the Secret with keys, and config\.upstream\.key\.file is another one: leave that out/],
  [{ upstream: { url: URL }, config: { upstream: { auth: 'basic', username: 'a' } } }, /config\.upstream\.auth: basic needs a password: upstream\.existingSecret/],
  [{ config: { masterKey: 'nobody-should-read-this' } }, /config\.masterKey is a secret, and a ConfigMap is no place for one: put it into a Secret, and name that in masterKey\.existingSecret/],
  [{ config: { upstream: { password: 'nobody-should-read-this' } } }, /config\.upstream\.password is a secret.* upstream\.existingSecret/],
  [{ config: { admin: { token: 'nobody-should-read-this' } } }, /config\.admin\.token is a secret.* adminToken\.existingSecret/],
  [{ config: { stateDir: 'data' } }, /config\.stateDir has to be absolute/],
  [{ ingress: { enabled: true } }, /httpRoute and ingress have the host and the path of config\.publicUrl: set it/],
  ...['contour', 'traefik'].map(controller => [{ ...ingress(controller), service: { sessionAffinity: 'ClientIP' } }, /ingress\.controller: (?:contour|traefik) knows no annotation .* service\.sessionAffinity: None, and pushes to oci:\/\/ with one gateway/] as const),
  [{ httpRoute: { enabled: true } }, /httpRoute\.enabled needs httpRoute\.parentRefs/],
  [{ serviceMonitor: { enabled: true } }, /serviceMonitor\.enabled needs networkPolicy\.adminFrom, or nobody reaches the admin port/],
  [{ networkPolicy: { chartmuseumSelector: { a: 'b' } } }, /networkPolicy\.chartmuseumSelector is for the ChartMuseum of upstream\.url, which is not set/],
  [{ config: { authz: asked() }, networkPolicy: { authzFrom: PROXIES } }, /config\.authz is for a proxy that leads to a ChartMuseum, and nobody but the gateway reaches the embedded repository: upstream\.url or chartmuseum\.enabled/],
  [{ upstream: { url: URL }, config: { authz: asked() } }, /config\.authz\.listen\.port needs networkPolicy\.authzFrom, or no proxy reaches it: such as/],
  [{ upstream: { url: URL }, config: { authz: asked({ trustedProxies: [] }) }, networkPolicy: { authzFrom: PROXIES } }, /config\.authz\.listen\.port needs config\.authz\.trustedProxies, the addresses or CIDRs of the proxy's pods, and config\.authz\.dialect/],
  [{ upstream: { url: URL }, config: { authz: { listen: { port: 5003 }, trustedProxies: ['10.244.0.0/16'] } }, networkPolicy: { authzFrom: PROXIES } }, /and config\.authz\.dialect/],
  [{ upstream: { url: URL }, config: { ...HELM, authz: asked() }, networkPolicy: { authzFrom: PROXIES } }, /config\.charts\.contextPath has to be the path of config\.publicUrl/],
  [{ upstream: { url: URL }, networkPolicy: { authzFrom: PROXIES } }, /networkPolicy\.authzFrom is for config\.authz, whose listen\.port is not set/],
  // The schema's own words, which differ from Helm to Helm.
  [{ config: { polcy: [] } }, /polcy/],
  [{ config: { listen: { port: 'x' } } }, /port/],
  [{ config: { policy: [{ repositories: ['**'], subjects: ['nobody'], actions: ['pull'] }] } }, /subjects/],
  [{ config: { policy: [{ repositories: ['**'], subjects: ['anonymous'] }] } }, /actions/],
  [{ replicas: 2 }, /replicas/],
  [{ image: { digest: 'sha256:1' } }, /digest/],
  [{ ingress: { controller: 'apache' } }, /controller/],
  [{ files: [{ mountPath: '/x' }] }, /files/],
  [{ keys: { tokens: [{ key: '../x', alg: 'RS256', state: 'active' }] } }, /key/]
]
