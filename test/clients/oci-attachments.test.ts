// The real oras attaches an SBOM and a signature of it to a chart, finds and pulls them, copies
// them to another tenant with their chart, and deletes them.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { startGateway } from '../helpers/gateway.ts'
import { BUILD_LIMIT, goTool } from '../helpers/go-tool.ts'
import { notTried } from '../helpers/not-tried.ts'
import { ARCHIVE_TYPE } from '../helpers/oci.ts'
import { chartOf } from '../helpers/packages.ts'
import { run, temporaryFolder, type RunResult } from '../helpers/processes.ts'
import { newMasterKey } from '../helpers/secrets.ts'

interface Discovered { readonly digest: string, readonly artifactType: string, readonly referrers?: readonly Discovered[] }

t.setTimeout(BUILD_LIMIT)
const oras = await goTool('oras')
if (oras.ok) await tryOras(oras.path)
else await notTried(t, 'oras attach at the registry', oras.reason)

async function tryOras (program: string): Promise<void> {
  await t.test('oras attaches, discovers, pulls, copies and deletes', async t => {
    const masterKey = newMasterKey()
    const { url } = await startGateway(t, { workers: 2, masterKey })
    const home = await temporaryFolder(t)
    const host = new URL(url).host
    const [staging, production] = [`${host}/org1/staging/mychart`, `${host}/org1/production/mychart`]
    const ask = async (...args: string[]): Promise<RunResult> => await run(program, args, { cwd: home, env: { HOME: home, DOCKER_CONFIG: join(home, 'docker') } })
    const done = async (...args: string[]): Promise<string> => {
      const result = await ask(...args)
      t.equal(result.code, 0, args.slice(0, 2).join(' '), { result })
      return result.stdout
    }
    const discover = async (of: string, ...more: string[]): Promise<readonly Discovered[]> => (JSON.parse(await done('discover', '--plain-http', '--format', 'json', of, ...more)) as Discovered).referrers ?? []
    await writeFile(join(home, 'mychart-1.0.0.tgz'), await chartOf('mychart', '1.0.0'))
    for (const name of ['sbom.json', 'signature']) await writeFile(join(home, name), `{"this":"${name}"}`)
    await done('login', host, '-u', 'any', '-p', masterKey, '--plain-http')
    await done('push', '--plain-http', `${staging}:1.0.0`, `mychart-1.0.0.tgz:${ARCHIVE_TYPE}`)

    await done('attach', '--plain-http', '--artifact-type', 'application/spdx+json', `${staging}:1.0.0`, 'sbom.json:application/json')
    const [sbom] = await discover(`${staging}:1.0.0`)
    t.match(sbom, { artifactType: 'application/spdx+json' })
    await done('attach', '--plain-http', '--artifact-type', 'application/x.signature', `${staging}@${sbom?.digest}`, 'signature:text/plain')
    await done('attach', '--plain-http', '--artifact-type', 'application/x.archive', `${staging}:1.0.0`, 'mychart-1.0.0.tgz')
    t.equal((await discover(`${staging}:1.0.0`)).length, 2)
    t.match(await discover(`${staging}:1.0.0`, '--artifact-type', 'application/spdx+json'), [{ digest: sbom?.digest }])
    t.match(await discover(`${staging}@${sbom?.digest}`), [{ artifactType: 'application/x.signature' }])
    const pulled = await temporaryFolder(t)
    await done('pull', '--plain-http', `${staging}@${sbom?.digest}`, '-o', pulled)
    t.equal(await readFile(join(pulled, 'sbom.json'), 'utf8'), '{"this":"sbom.json"}')
    t.equal(await done('repo', 'tags', '--plain-http', staging), '1.0.0\n')

    const copy = ['cp', '--from-plain-http', '--to-plain-http']
    t.match(await ask(...copy, '-r', `${staging}:1.0.0`, `${production}:1.0.0`), { code: 1, stderr: /push the chart first, then what is attached to it/ })
    await done(...copy, `${staging}:1.0.0`, `${production}:1.0.0`)
    const digestOf = async (of: string): Promise<string> => await done('resolve', '--plain-http', `${of}:1.0.0`)
    t.equal(await digestOf(production), await digestOf(staging))
    await done(...copy, '-r', `${staging}:1.0.0`, `${production}:1.0.0`)
    t.equal((await discover(`${production}:1.0.0`)).length, 2)
    t.match(await discover(`${production}@${sbom?.digest}`), [{ artifactType: 'application/x.signature' }])

    const tag = `${(await digestOf(staging)).trim().replace(':', '-')}.sig`
    await done('push', '--plain-http', `${staging}:${tag}`, 'signature:text/plain')
    t.match(await ask('resolve', '--plain-http', `${production}:${tag}`), { code: 1 }, 'a tag of cosign\'s does not refer to the chart')
    await done(...copy, `${staging}:${tag}`, `${production}:${tag}`)
    t.equal(await done('resolve', '--plain-http', `${production}:${tag}`), await done('resolve', '--plain-http', `${staging}:${tag}`))

    await done('manifest', 'delete', '--plain-http', '-f', `${staging}@${sbom?.digest}`)
    t.match(await discover(`${staging}:1.0.0`), [{ artifactType: 'application/x.archive' }])
    await done('manifest', 'delete', '--plain-http', '-f', `${staging}:1.0.0`)
    t.equal((await discover(`${production}:1.0.0`)).length, 2, 'in another tenant they stay')
    t.not((await ask('attach', '--plain-http', '--artifact-type', 'application/x.test', `${staging}:1.0.0`, 'signature:text/plain')).code, 0)
  })
}
