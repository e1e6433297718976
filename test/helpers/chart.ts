// The Helm chart of deploy/chartgate: rendered by a real Helm, judged by what a cluster judges
// with, and its pod's files laid out in a folder, as the kubelet does.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments, stringify } from 'yaml'
import { runHelm, type Helm } from './helm.ts'
import { ROOT, run, type Environment, type RunResult } from './processes.ts'

export const CHART = join(ROOT, 'deploy/chartgate')
/** The three newest whose schemas kubernetes-validate has. */
export const KUBERNETES = ['1.35', '1.36', '1.37'] as const

/** What a manifest has, as far as tests look at it. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string, readonly annotations?: Readonly<Record<string, string>>, readonly labels: Readonly<Record<string, string>> }
  readonly automountServiceAccountToken?: boolean
  readonly data?: Readonly<Record<string, string>>
  readonly rules?: readonly Readonly<Record<string, readonly string[]>>[]
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a manifest's own form is judged by its schema
  readonly spec: any
}

export interface Mount { readonly name: string, readonly mountPath: string, readonly subPath?: string }
export interface Volume {
  readonly name: string
  readonly configMap?: { readonly name: string }
  readonly secret?: { readonly secretName: string, readonly items?: readonly { readonly key: string }[] }
}

export interface Rendered { readonly text: string, readonly manifests: readonly Manifest[] }

/** What Helm says of these values; Helm that is built from its module takes its cluster for one of 1.20. */
export async function template (helm: Helm, values: object, { home, release = 'chartgate', args = [] }: { readonly home: string, readonly release?: string, readonly args?: readonly string[] }): Promise<RunResult> {
  const file = join(home, `${helm.name}.values.yaml`)
  await writeFile(file, stringify(values))
  return await runHelm(helm, ['template', release, CHART, '--namespace', 'charts', '--kube-version', '1.37.0', '-f', file, ...args], { home })
}

export function manifestsOf (text: string): Manifest[] {
  return parseAllDocuments(text).map(document => document.toJS() as Manifest | null).filter(each => each !== null)
}

export function find (manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find(each => each.kind === kind && each.metadata.name === name)
  if (found === undefined) throw new Error(`no ${kind} ${name}: ${manifests.map(each => `${each.kind}/${each.metadata.name}`).join(', ')}`)
  return found
}

/** The pod that a manifest makes or is; undefined for any other. */
export function podOf ({ kind, spec }: Manifest): Manifest['spec'] {
  return kind === 'Pod' ? spec : spec?.template?.spec
}

/**
 * Files of the CRDs whose kinds the chart has, from the modules that test/clients/kubernetes pins.
 * @param channel of Gateway API
 */
export async function crdFiles (channel: 'standard' | 'experimental' = 'standard'): Promise<string[]> {
  const gateway = 'sigs.k8s.io/gateway-api'
  const operator = 'github.com/prometheus-operator/prometheus-operator'
  const { stdout, code, stderr } = await run('go', ['mod', 'download', '-json', gateway, operator], { cwd: join(ROOT, 'test/clients/kubernetes'), env: process.env as Environment })
  if (code !== 0) throw new Error(stderr)
  const dirs = [...stdout.matchAll(/"Dir": "(.*)"/g)].map(match => match[1] as string)
  const of = (module: string): string => dirs.find(dir => dir.includes(`/${module}@`)) as string
  return [
    join(of(gateway), `config/crd/${channel}/gateway.networking.k8s.io_httproutes.yaml`),
    ...['servicemonitors', 'prometheusrules'].map(name => join(of(operator), 'example/prometheus-operator-crd', `monitoring.coreos.com_${name}.yaml`))
  ]
}

/** The files of a container of the gateway below `root`, and its environment moved there. */
export async function layOut (manifests: readonly Manifest[], deployment: string, secrets: Readonly<Record<string, Readonly<Record<string, string>>>>, root: string): Promise<{ readonly config: string, readonly env: Environment }> {
  const { volumes, containers: [container] } = find(manifests, 'Deployment', deployment).spec.template.spec as { volumes: Volume[], containers: [{ volumeMounts: Mount[], env: { name: string, value: string }[] }] }
  const moved = (text: string): string => text.replaceAll(/(?<![\w.])\/(?=(?:run|etc|var\/lib)\/chartgate)/g, `${root}/`)
  for (const { name, mountPath } of container.volumeMounts) {
    const volume = volumes.find(each => each.name === name) as Volume
    const folder = moved(mountPath)
    await mkdir(folder, { recursive: true })
    const files = volume.configMap !== undefined
      ? find(manifests, 'ConfigMap', volume.configMap.name).data
      : volume.secret === undefined ? {} : secrets[volume.secret.secretName]
    if (files === undefined) throw new Error(`nobody says what is in ${JSON.stringify(volume)}`)
    for (const [file, content] of Object.entries(files)) {
      const temporary = join(folder, `.${file}`)
      await writeFile(temporary, moved(content), { mode: 0o600 })
      await rename(temporary, join(folder, file))
    }
  }
  const env = Object.fromEntries(container.env.map(({ name, value }) => [name, moved(value)]))
  return { config: moved('/etc/chartgate/chartgate.yaml'), env }
}

/** The words of the chart's templates and files, by their path. */
export async function sources (): Promise<string> {
  const { stdout } = await run('sh', ['-c', 'cat templates/*.yaml templates/*.tpl templates/tests/*.yaml'], { cwd: CHART })
  return stdout + await readFile(join(CHART, 'templates/NOTES.txt'), 'utf8')
}
