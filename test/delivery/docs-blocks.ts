// Which blocks of the pages does docs.test.ts not run, and why not? Whoever adds a block
// marks it `sh runnable`, or says here what sees to it.

import { EXAMPLES } from '../../scripts/config-examples.ts'

export interface Reason {
  /** Where the block's text begins. */
  readonly begins: string
  /** The test that runs it, or compares it with what is printed. */
  readonly test?: string
  /** Why nothing does. */
  readonly because?: string
}

const CHARTMUSEUM = 'test/serve/walkthrough-chartmuseum.test.ts'
const MISTAKES = 'test/proxies/mistakes.test.ts'
const KUBERNETES = 'test/delivery/kubernetes.test.ts'
const COMMANDS = 'test/commands/documents.test.ts'
const CI_JOBS = 'test/delivery/ci-jobs.test.ts'
const NO_CLUSTER = 'a cluster with the controller is not part of the tests; the sentences below it name the code that reads it'
const INSTALLS = 'it changes the machine, or fetches from elsewhere'

/** Pages whose blocks need programs beside them, and the test that runs those. */
export const RUN_ELSEWHERE: Readonly<Record<string, string>> = { 'docs/migrate.md': 'test/delivery/migrate.test.ts' }

export const NOT_RUN: Readonly<Record<string, readonly Reason[]>> = {
  'README.md': [
    { begins: 'flowchart LR', because: 'a picture' },
    { begins: 'npm ci && npm start', because: INSTALLS },
    { begins: 'npm run build && npm install -g .', because: INSTALLS },
    { begins: 'mkdir gateway', test: CHARTMUSEUM },
    { begins: 'export CHARTGATE_CONFIG', test: CHARTMUSEUM },
    { begins: 'configuration is valid', test: CHARTMUSEUM },
    { begins: 'chartmuseum --listen-host', test: CHARTMUSEUM },
    { begins: 'chartgate serve', test: CHARTMUSEUM },
    { begins: 'chartgate listens on', test: 'test/serve/walkthrough.test.ts' },
    { begins: 'tar czf mychart-0.1.0.tgz', test: CHARTMUSEUM },
    { begins: '{"saved":true}\napiVersion', test: CHARTMUSEUM },
    { begins: 'docker compose up', because: 'it needs a Docker engine; test/container.test.ts reads the files' },
    { begins: 'chartgate repository', test: 'test/serve/repository-server.test.ts' },
    { begins: "chartgate's repository listens", test: 'test/serve/repository-server.test.ts' }
  ],
  'CONTRIBUTING.md': [{ begins: 'npm ci\n', because: 'it is what CI does' }],
  'docs/accounts.md': [
    { begins: '- repositories: ["team/*"]', because: 'a part of a configuration, of the form of config/team.example.yaml' },
    { begins: '$ printf %s "$PASSWORD" | htpasswd', because: "it needs Apache's htpasswd; test/identity/ reads such files" }
  ],
  'docs/architecture.md': [{ begins: '            method + raw target', because: 'a picture' }],
  'docs/ci.md': [
    { begins: 'job ── ID token', because: 'a picture' },
    { begins: 'federation:\n', test: CI_JOBS },
    { begins: 'name: release', test: CI_JOBS },
    { begins: 'chart:\n  image:', test: CI_JOBS },
    { begins: 'apiVersion: argoproj.io/v1alpha1\nkind: Workflow', test: CI_JOBS },
    { begins: 'apiVersion: tekton.dev/v1\nkind: TaskRun', test: CI_JOBS },
    { begins: 'curl -sS --fail-with-body https://charts.example.com/oauth/token', test: CI_JOBS },
    { begins: 'printf %s "$ID_TOKEN"', test: 'test/commands/federation.test.ts' },
    { begins: 'the token is of', test: 'test/commands/federation.test.ts' },
    { begins: '"because":', test: 'test/gateway/federation.test.ts' }
  ],
  'docs/clients.md': [
    { begins: 'helm plugin install', because: INSTALLS },
    { begins: 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: charts-org1\n  namespace: flux-system', because: NO_CLUSTER },
    { begins: 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: charts-org1\n  namespace: argocd', because: NO_CLUSTER },
    { begins: 'module.exports', because: 'Renovate is not part of the tests; the sentences below it name the code that reads it' },
    { begins: 'repositories:\n', because: 'helmfile is not part of the tests; the sentences below it name the code that reads it' },
    { begins: 'export CHARTS_ORG1_USERNAME', because: 'helmfile is not part of the tests' }
  ],
  'docs/commands.md': [
    { begins: 'usage: chartgate', test: COMMANDS },
    { begins: '$ chartgate check --confg', test: COMMANDS },
    { begins: '$ chartgate init', test: 'test/commands/init.test.ts' },
    { begins: 'chartgate ', test: COMMANDS }
  ],
  'docs/configuration.md': Object.values(EXAMPLES).flatMap(text => text.split('---\n')).map(begins => ({ begins, test: 'test/config/documents.test.ts' })),
  'docs/forward-auth.md': [
    { begins: 'publicUrl: https://charts.example.test', because: 'it is what the next block has, with a chart repository of its own' },
    { begins: '    error_page 401', test: 'test/proxies/forward-auth-headers.test.ts' },
    { begins: '  location @unauthorized', test: 'test/proxies/forward-auth-headers.test.ts' }
  ],
  'docs/keys.md': [
    { begins: 'upstream:\n', because: 'a part of a configuration; test/config/ has the key' },
    { begins: 'tokens:\n  keys:', because: 'a part of a configuration; test/config/ has the keys' }
  ],
  'docs/migrate.md': [
    { begins: 'location', because: 'a part of an nginx configuration; test/proxies/ has whole ones' }
  ],
  'docs/oci.md': [
    { begins: '$ helm push mychart', test: 'test/clients/oci-push.test.ts' },
    { begins: '$ oras cp', test: 'test/clients/oci-attachments.test.ts' },
    { begins: 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: charts-registry', because: NO_CLUSTER },
    { begins: 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: charts-org1-oci', because: NO_CLUSTER },
    { begins: 'module.exports', because: 'Renovate is not part of the tests; the sentence above it names the code that reads it' }
  ],
  'docs/operations.md': [
    { begins: '$ npm ci && npm run package', test: 'test/delivery/package.test.ts' },
    { begins: '# npm install --global', because: `${INSTALLS}; test/delivery/package.test.ts unpacks and starts the same` },
    { begins: '# apt-get install', test: 'test/delivery/deb.test.ts' },
    { begins: '# chartgate user add', because: INSTALLS },
    { begins: '# useradd', because: INSTALLS },
    { begins: '$ systemd-analyze security', test: 'test/delivery/systemd.test.ts' },
    { begins: 'backend chartgate', test: 'test/faults/rolling-restart.test.ts' },
    { begins: 'upstream:', test: 'test/faults/addresses.test.ts' },
    { begins: '$ chartgate reload', test: 'test/commands/reload.test.ts' },
    { begins: 'chartgate revoke', test: 'test/commands/revoke.test.ts' },
    { begins: 'seed ', because: 'ten minutes of npm run soak' },
    { begins: "$ curl -s 'http://localhost:5002/readyz?verbose'", test: 'test/gateway/admin.test.ts' },
    { begins: 'scrape_configs:', because: "a part of Prometheus's configuration" }
  ],
  'docs/kubernetes.md': [
    { begins: 'docker build', because: 'it needs a Docker engine' },
    { begins: '# values.yaml', test: KUBERNETES },
    { begins: '# basic.yaml', test: KUBERNETES },
    { begins: '# asked.yaml', test: 'test/delivery/kubernetes-manifests.test.ts' },
    { begins: 'apiVersion: ', test: 'test/delivery/kubernetes-manifests.test.ts' },
    { begins: 'helm ', test: KUBERNETES },
    { begins: 'openssl genpkey', test: KUBERNETES },
    { begins: 'openssl rand', because: NO_CLUSTER },
    { begins: 'chartgate robot create', test: KUBERNETES },
    { begins: 'htpasswd -nB', test: KUBERNETES },
    { begins: 'kubectl --namespace charts exec deploy/chartgate -c chartgate -- node', because: NO_CLUSTER },
    { begins: 'kubectl --namespace charts exec deploy/chartgate -c chartgate -- tar', test: KUBERNETES },
    { begins: 'kubectl --namespace charts exec -i deploy/chartgate -c chartgate -- tar', test: KUBERNETES },
    { begins: 'kubectl --namespace charts get secret', because: NO_CLUSTER }
  ],
  'docs/proxies.md': [
    { begins: 'Error: 413', test: MISTAKES },
    { begins: '{"error":"the path does not begin', test: MISTAKES },
    { begins: '{"error":"the path begins twice', test: MISTAKES },
    { begins: 'Error: 502', because: 'recorded with cm-push and nginx 1.22; test/helpers/proxy-scenarios.ts sees the page' },
    { begins: 'Error: Post "https://', because: 'recorded with cm-push and nginx 1.22; it takes half a minute' },
    { begins: 'Error: 500', because: 'recorded with cm-push and nginx 1.22 on a full disk' },
    { begins: 'Error: 504', because: 'recorded with cm-push and nginx 1.22' }
  ],
  'docs/scaling.md': [
    { begins: 'redis:\n', because: 'a part of a configuration; test/config/ has the keys' },
    { begins: '{"level":"error","redis"', test: 'test/replicas/redis.test.ts' }
  ]
}
