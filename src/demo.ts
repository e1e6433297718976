// What does somebody see who starts chartgate for the first time? A chart in the
// embedded repository, and a walkthrough to paste. Asked by server.ts, for the demo's
// key only.
import { createWriteStream } from 'node:fs'
import { mkdir, readFile, readdir, rename } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { parse } from 'yaml'

/**
 * Packages the chart folder into <chartsDir>/org1/repo1 when that tenant was never
 * there; a chart that somebody deleted stays deleted.
 */
export async function seedDemoChart (chartFolder: string, chartsDir: string): Promise<void> {
  const tenantDir = join(chartsDir, 'org1', 'repo1')
  if (await mkdir(tenantDir, { recursive: true }) === undefined) return
  const { name, version } = parse(await readFile(join(chartFolder, 'Chart.yaml'), 'utf8')) as { name: string, version: string }
  const archive = pack()
  const temporary = join(tenantDir, '.demo.tmp')
  const written = pipeline(archive, createGzip(), createWriteStream(temporary))
  for (const entry of (await readdir(chartFolder, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile())) {
    const file = join(entry.parentPath, entry.name)
    const path = [basename(chartFolder), ...relative(chartFolder, file).split(sep)].join('/')
    archive.entry({ name: path, mode: 0o644 }, await readFile(file))
  }
  archive.finalize()
  await written
  await rename(temporary, join(tenantDir, `${name}-${version}.tgz`))
}

/** The walkthrough, with the addresses of this process. */
export function walkthrough (publicUrl: string, stateDir: string): string {
  return `chartgate listens on ${publicUrl}; its data lies in ${stateDir}

Try it, in another terminal:

  # 1. no credentials: the challenge says where a token comes from
  curl -i ${publicUrl}/org1/repo1/index.yaml

  # 2. a token for one tenant and one action
  TOKEN=$(curl -s -X POST -H "Authorization: Bearer MASTERKEY" \\
    "${publicUrl}/oauth/token?grant_type=client_credentials&scope=artifact-repository:org1/repo1:pull" \\
    | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')

  # 3. what is in it
  echo "$TOKEN" | cut -d. -f2 | tr '_-' '/+' | base64 -d 2>/dev/null; echo

  # 4. the index, with the token
  curl -H "Authorization: Bearer $TOKEN" ${publicUrl}/org1/repo1/index.yaml

  # 5. a token that may push, and a push
  PUSH=$(curl -s -X POST -H "Authorization: Bearer MASTERKEY" \\
    "${publicUrl}/oauth/token?grant_type=client_credentials&scope=artifact-repository:org1/repo1:pull,push" \\
    | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
  sed -i.bak 's/^version: .*/version: 0.2.0/' examples/mychart/Chart.yaml && tar czf mychart-0.2.0.tgz -C examples mychart && mv examples/mychart/Chart.yaml.bak examples/mychart/Chart.yaml
  curl -H "Authorization: Bearer $PUSH" --data-binary @mychart-0.2.0.tgz ${publicUrl}/api/org1/repo1/charts

  # 6. stock Helm: the token is the password, the user name does not matter
  helm repo add r ${publicUrl}/org1/repo1 --username any --password "$TOKEN"
  helm repo update && helm pull r/mychart && helm template x r/mychart

MASTERKEY is the demo's key: it has every right, so the demo listens on loopback only.
Stop with Ctrl-C.
`
}
