// CRDs of controllers that docs/kubernetes.md names. Only files of their modules are read, so
// no go.mod has them: each is pinned here, with the sum that Go has for it.
import { join } from 'node:path'
import { run, type Environment } from './processes.ts'

const MODULES = [
  {
    module: 'github.com/envoyproxy/gateway@v1.9.1',
    sum: 'h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY=',
    folder: 'charts/gateway-helm/charts/crds/crds/generated',
    files: ['gateway.envoyproxy.io_securitypolicies.yaml']
  },
  {
    module: 'github.com/traefik/traefik/v3@v3.7.13',
    sum: 'h1:T8wy9KuaFzCkmXCqAzDy7t73pBDR1DHrJe3pqXpNXTw=',
    folder: 'docs/content/reference/dynamic-configuration',
    files: ['traefik.io_middlewares.yaml', 'traefik.io_ingressroutes.yaml']
  }
] as const

/** Their files. @param cwd a folder outside any module */
export async function controllerCrds (cwd: string): Promise<string[]> {
  const { stdout, stderr, code } = await run('go', ['mod', 'download', '-json', ...MODULES.map(({ module }) => module)], { cwd, env: process.env as Environment })
  if (code !== 0) throw new Error(stderr + stdout)
  const found = stdout.split(/(?<=^\})\n/m).filter(text => text !== '').map(text => JSON.parse(text) as { Path: string, Version: string, Dir: string, Sum: string })
  return MODULES.flatMap(({ module, sum, folder, files }) => {
    const { Dir, Sum } = found.find(({ Path, Version }) => `${Path}@${Version}` === module) as typeof found[number]
    if (Sum !== sum) throw new Error(`${module} is another one: ${Sum}`)
    return files.map(file => join(Dir, folder, file))
  })
}
