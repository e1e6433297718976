// The values of the Helm chart, as data: each with its default, what it is and why one would
// change it. chart-documents.ts makes values.yaml, values.schema.json and README.md of it.
import { ConfigSchema } from '../src/config/schema.ts'
import { forEditors, type Json } from './config-documents.ts'

/** One value that a user may set. */
export interface ChartValue {
  readonly default: unknown
  /** JSON Schema (draft-07). */
  readonly schema: Json
  readonly what: string
  readonly why: string
}

export interface ChartValues { readonly [name: string]: ChartValue | ChartValues }

export function isValue (node: ChartValue | ChartValues): node is ChartValue {
  return typeof node['what'] === 'string'
}

const text = (fallback: string, what: string, why: string, more: Json = {}): ChartValue =>
  ({ default: fallback, schema: { type: 'string', ...more }, what, why })
const flag = (fallback: boolean, what: string, why: string): ChartValue =>
  ({ default: fallback, schema: { type: 'boolean' }, what, why })
const number = (fallback: number, minimum: number, what: string, why: string): ChartValue =>
  ({ default: fallback, schema: { type: 'integer', minimum }, what, why })
const object = (what: string, why: string, fallback: object = {}): ChartValue =>
  ({ default: fallback, schema: { type: 'object' }, what, why })
const texts = (what: string, why: string, fallback: object = {}): ChartValue =>
  ({ default: fallback, schema: { type: 'object', additionalProperties: { type: 'string' } }, what, why })
const list = (fallback: readonly unknown[], items: Json, what: string, why: string): ChartValue =>
  ({ default: fallback, schema: { type: 'array', items }, what, why })
const secret = (what: string, why: string): ChartValue => text('', what, why)

const DIGEST = { pattern: '^(sha256:[0-9a-f]{64})?$' }
const OBJECT = { type: 'object' }
const EVERY_RIGHT = {
  repositories: ['**'],
  subjects: ['group:admins'],
  actions: ['pull', 'push', 'overwrite', 'delete']
}
const KEY = {
  type: 'object',
  required: ['key', 'alg', 'state'],
  properties: {
    key: { type: 'string', pattern: '^[A-Za-z0-9._-]+$' },
    alg: { enum: ['RS256', 'ES256', 'EdDSA'] },
    state: { enum: ['active', 'verify', 'retired'] }
  },
  additionalProperties: false
}
const FILES = {
  type: 'object',
  required: ['mountPath'],
  properties: {
    existingSecret: { type: 'string', minLength: 1 },
    existingConfigMap: { type: 'string', minLength: 1 },
    mountPath: { type: 'string', pattern: '^/' }
  },
  additionalProperties: false,
  oneOf: [{ required: ['existingSecret'] }, { required: ['existingConfigMap'] }]
}
/** What stands in `spec.parentRefs` of an HTTPRoute. */
const PARENT = { type: 'object', required: ['name'] }
const QUANTITY = { pattern: '^[0-9]+(Ki|Mi|Gi|Ti)$' }

/** In the order of values.yaml. */
export const CHART_VALUES: ChartValues = {
  config: {
    default: { policy: [EVERY_RIGHT] },
    schema: forEditors(ConfigSchema as unknown as Json, false),
    what: 'chartgate\'s own configuration, key by key as in docs/configuration.md',
    why: 'always: at least publicUrl, the URL that clients use. What the chart knows is filled in where it is left ' +
      'out (listeners, stateDir, upstream, key files, drain.delay); secrets do not belong here, see below'
  },
  replicaCount: number(1, 1, 'how many gateways', 'two and more stay available while a node or a pod goes; the ' +
    'embedded repository belongs to one'),
  image: {
    repository: text('chartgate', 'where the image is', 'it is built with the Dockerfile, and lies in your registry',
      { minLength: 1 }),
    tag: text('', 'its tag; empty: the appVersion of the chart', 'another build'),
    digest: text('', 'its digest, sha256:…; with it the tag says nothing', 'what runs is what was looked at', DIGEST),
    pullPolicy: text('IfNotPresent', 'when it is pulled', 'a tag that moves: Always',
      { enum: ['Always', 'IfNotPresent', 'Never'] }),
    pullSecrets: list([], { type: 'object', required: ['name'] }, 'Secrets for the registry, {name: …}',
      'a registry that asks who pulls')
  },
  upstream: {
    url: text('', 'the ChartMuseum in front of which chartgate stands, such as http://chartmuseum:8080; empty: the ' +
      'embedded repository, on a PersistentVolumeClaim', 'charts lie in a ChartMuseum already'),
    existingSecret: secret('a Secret with the key password, for config.upstream.auth: basic',
      'ChartMuseum has a user and a password (config.upstream.username)')
  },
  redis: {
    existingSecret: secret('a Secret with the key password, for the Redis or Valkey of config.redis.url',
      'several gateways, and a Redis that wants one')
  },
  keys: {
    existingSecret: secret('a Secret with private keys in PEM: those of keys.tokens, and upstream.pem with its public ' +
      'half upstream.pub.pem; empty: with an upstream a hook Job makes one once, without one they lie on the volume',
    'keys come from a vault, or the Job may not run'),
    tokens: {
      default: [{ key: 'token.pem', alg: 'RS256', state: 'active' }],
      schema: { type: 'array', minItems: 1, items: KEY },
      what: 'the keys of that Secret that sign and verify tokens',
      why: 'a rotation: a new key is added to the Secret and here (docs/kubernetes.md)'
    }
  },
  accounts: {
    existingSecret: secret('a Secret with accounts files; empty: with the embedded repository accounts.yaml lies on ' +
      'the volume, where `user add` changes it, otherwise there is nobody',
    'people and robots, with an upstream or kept elsewhere'),
    files: list(['accounts.yaml'], { type: 'string', pattern: '^[A-Za-z0-9._-]+$' },
      'which keys of that Secret are accounts files', 'several files, or an htpasswd file')
  },
  masterKey: {
    existingSecret: secret('a Secret with the key masterKey: a key with every right', 'the first steps, before there ' +
      'are accounts; take it away then')
  },
  adminToken: {
    existingSecret: secret('a Secret with the key token, which whoever asks for metrics has to send',
      'others can reach the admin port')
  },
  tls: {
    existingSecret: secret('a Secret of the type kubernetes.io/tls: the gateway speaks TLS itself',
      'nothing in front of it ends TLS, or the way from there has to be encrypted')
  },
  files: list([], FILES, 'Secrets and ConfigMaps that are mounted as folders: {existingSecret or ' +
    'existingConfigMap, mountPath}', 'whatever else config names: authorities, keys of token servers, certificates'),
  env: texts('environment variables of the gateway', 'such as NODE_EXTRA_CA_CERTS for a jwksUrl'),
  persistence: {
    existingClaim: text('', 'a PersistentVolumeClaim that is there', 'restored, or made by somebody else'),
    size: text('8Gi', 'how large the volume of the embedded repository is', 'more charts, and room for uploads ' +
      '(config.charts.spool.maxBytes)', QUANTITY),
    storageClassName: text('', 'its storage class; empty: the cluster\'s default', 'another disk; not NFS, whose ' +
      'locks and sockets are not those of a disk'),
    accessModes: list(['ReadWriteOnce'], { type: 'string' }, 'how it may be mounted', 'ReadWriteOncePod, where the ' +
      'driver has it')
  },
  service: {
    type: text('ClusterIP', 'the type of the Service', 'no Gateway and no ingress',
      { enum: ['ClusterIP', 'NodePort', 'LoadBalancer'] }),
    port: { ...number(80, 1, 'its port', 'with tls: 443'), schema: { type: 'integer', minimum: 1, maximum: 65535 } },
    annotations: texts('its annotations', 'a load balancer of a cloud'),
    sessionAffinity: text('None', 'ClientIP: the requests of one address come to one gateway, also from the controller ' +
      'that ingress.controller names', 'several gateways, and pushes to oci://, whose requests have to come to one ' +
      '(docs/oci.md)', { enum: ['None', 'ClientIP'] })
  },
  httpRoute: {
    enabled: flag(false, 'an HTTPRoute of the Gateway API for the host and path of config.publicUrl',
      'a Gateway leads to it'),
    parentRefs: list([], PARENT, 'the Gateways that it belongs to: {name, namespace, sectionName}',
      'with httpRoute.enabled: always'),
    timeout: text('300s', 'how long one request may take; the gateway gives one as long', 'shorter is 504 for large ' +
      'uploads over slow lines', { pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$' }),
    annotations: texts('its annotations', 'external-dns, or a controller that reads some')
  },
  ingress: {
    enabled: flag(false, 'an Ingress for the host and path of config.publicUrl', 'an ingress controller leads to it'),
    className: text('', 'the IngressClass; empty: the cluster\'s default', 'there are several'),
    controller: text('', 'whose annotations for body size, buffering and timeouts it gets: nginx (F5, nginx.org), ' +
      'ingress-nginx (retired), haproxy (haproxytech), haproxy-ingress, contour, traefik (needs none); empty: none',
    'always: without them uploads of more than 1 MB fail behind nginx, and long ones behind most',
    { enum: ['', 'nginx', 'ingress-nginx', 'haproxy', 'haproxy-ingress', 'contour', 'traefik'] }),
    tlsSecret: text('', 'the Secret with the certificate', 'the controller ends TLS with another one than its own'),
    annotations: texts('further annotations, which win', 'cert-manager, or another timeout')
  },
  autoscaling: {
    enabled: flag(false, 'a HorizontalPodAutoscaler', 'load that comes and goes; not with the embedded repository'),
    minReplicas: number(2, 1, 'the least', 'more, for three zones'),
    maxReplicas: number(6, 1, 'the most', 'ChartMuseum takes more, or less'),
    targetCPUUtilizationPercentage: number(70, 1, 'of resources.requests.cpu', 'sooner or later')
  },
  podDisruptionBudget: {
    maxUnavailable: {
      ...number(1, 1, 'how many gateways may be taken away at once, where there are several',
        'many gateways'),
      schema: { type: ['integer', 'string'] }
    }
  },
  networkPolicy: {
    enabled: flag(true, 'NetworkPolicies: the public port for everybody, the admin port for networkPolicy.adminFrom, ' +
      'that of config.authz for networkPolicy.authzFrom, ChartMuseum for the gateway and for the latter', 'the cluster has policies of its own'),
    adminFrom: list([], OBJECT, 'who may ask the admin port, as `from` of a NetworkPolicy has it; the kubelet always ' +
      'may', 'Prometheus: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]'),
    authzFrom: list([], OBJECT, 'whose pods may ask where config.authz listens, as `from` of a NetworkPolicy has it; ' +
      'they reach ChartMuseum too', 'with config.authz: always: the proxy\'s own pods, and nobody else\'s'),
    chartmuseumSelector: texts('labels of a ChartMuseum in this namespace that only the gateway may reach from now on',
      'upstream.url is a ChartMuseum that is there already')
  },
  serviceMonitor: {
    enabled: flag(false, 'a ServiceMonitor of the Prometheus Operator', 'metrics'),
    interval: text('30s', 'how often', 'finer graphs', { pattern: '^[0-9]+(ms|s|m)$' }),
    labels: texts('its labels', 'a Prometheus that looks for some'),
    tlsConfig: object('its tlsConfig', 'with config.admin.tls: the authority and the name')
  },
  alerts: {
    enabled: flag(false, 'a PrometheusRule with the alerts of docs/operations.md', 'somebody wants to be told'),
    labels: texts('its labels', 'a Prometheus that looks for some')
  },
  dashboard: {
    enabled: flag(false, 'a ConfigMap with the dashboard for Grafana', 'Grafana has the sidecar that looks for them'),
    labels: texts('its labels', 'the sidecar looks for others', { grafana_dashboard: '1' })
  },
  chartmuseum: {
    enabled: flag(false, 'a ChartMuseum beside the gateway, which takes only this gateway\'s tokens',
      'several gateways, or storage in a bucket'),
    image: {
      repository: text('ghcr.io/helm/chartmuseum', 'where its image is', 'a mirror', { minLength: 1 }),
      tag: text('v0.16.5', 'its tag', 'another version', { minLength: 1 }),
      digest: text('', 'its digest, sha256:…', 'what runs is what was looked at', DIGEST)
    },
    env: texts('its environment: what the gateway needs is set, the rest as ChartMuseum\'s documentation has it',
      'charts in a bucket: STORAGE: amazon, STORAGE_AMAZON_BUCKET: …'),
    existingSecret: secret('a Secret whose keys are further variables of its environment', 'the bucket\'s credentials'),
    persistence: {
      enabled: flag(true, 'a volume for its charts', 'charts lie in a bucket'),
      existingClaim: text('', 'a PersistentVolumeClaim that is there', 'an existing store'),
      size: text('8Gi', 'how large it is', 'more charts', QUANTITY),
      storageClassName: text('', 'its storage class; empty: the cluster\'s default', 'another disk')
    },
    serviceAccountAnnotations: texts('annotations of its ServiceAccount', 'the cloud gives it a right to the bucket'),
    resources: object('its requests and limits', 'large indexes are built in memory',
      { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '1Gi' } })
  },
  resources: object('requests and limits of the gateway', 'large indexes (config.charts.index.maxBytes), workers, and ' +
    'without a volume the spool: ephemeral-storage above config.charts.spool.maxBytes',
  { requests: { cpu: '200m', memory: '256Mi' }, limits: { memory: '1Gi' } }),
  podAnnotations: texts('annotations of the gateways\' pods', 'a service mesh'),
  podLabels: texts('further labels of the gateways\' pods', 'policies that look for them'),
  nodeSelector: texts('nodes that the pods may run on', 'nodes for it'),
  tolerations: list([], OBJECT, 'taints that the pods tolerate', 'nodes for it'),
  affinity: object('affinities of the gateways', 'other wishes than to be spread'),
  topologySpreadConstraints: list([], OBJECT, 'how gateways are spread; empty: over nodes and zones, as well as it goes',
    'it has to be so, and not as well as it goes'),
  priorityClassName: text('', 'the PriorityClass of the gateways', 'deployments wait for charts'),
  test: {
    tenant: text('', 'the tenant that `helm test` asks for; empty: helm/test, or as deep as config.charts.depth says',
      'one that the credentials can read', { pattern: '^([A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*)?$' }),
    existingSecret: secret('a Secret with the keys username and password of somebody who can read it; empty: it asks ' +
      'as nobody, and sees that it is refused', '`helm test` sees that an index comes')
  },
  nameOverride: text('', 'in place of the chart\'s name', 'names that are agreed on'),
  fullnameOverride: text('', 'in place of release and chart name', 'names that are agreed on')
}
