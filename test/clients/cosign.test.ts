// The real cosign signs charts at /v2/ with a key, and says what is signed: with what refers to
// a manifest, and with the tags that cosign 2 makes of its digest. In front of the embedded
// repository and of a real ChartMuseum.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { inFrontOfEach, store, type ClientLab, type Login } from '../helpers/client-lab.ts'
import { BUILD_LIMIT, goTool } from '../helpers/go-tool.ts'
import { inShort } from '../helpers/in-short.ts'
import { notTried, skipped } from '../helpers/not-tried.ts'
import { askOci, digestOfBytes } from '../helpers/oci.ts'
import { chartOf } from '../helpers/packages.ts'
import { run, temporaryFolder, type Environment, type RunResult } from '../helpers/processes.ts'
import { newPassword } from '../helpers/secrets.ts'
import { basic } from '../helpers/team.ts'

const TENANT = 'org1/repo1'
/** How a registry without TLS is asked, and nobody but it. */
const HERE = ['--allow-http-registry']
/** No transparency log. */
const OFFLINE = ['--use-signing-config=false', '--tlog-upload=false', '-y']
const FORMS = [
  { name: 'as referrers', chart: 'signed', form: [] },
  { name: 'as tags of their digest', chart: 'tagged', form: ['--new-bundle-format=false'] }
]

t.setTimeout(BUILD_LIMIT)
// It takes eight minutes of a processor to build.
const wanted = inShort(false, true)
const cosign = wanted ? await goTool('cosign') : undefined
if (cosign === undefined) await skipped(t, 'cosign', 'npm run verify has it')
else if (!cosign.ok) await notTried(t, 'cosign at the registry', cosign.reason)
else await inFrontOfEach(t, async (t, lab) => { await story(t, lab, cosign.path) })

interface Machine {
  readonly home: string
  say (...args: string[]): Promise<RunResult>
}

/** A machine of somebody who has logged in. */
async function machineOf (t: Test, { gateway }: ClientLab, path: string, { username, password }: Login): Promise<Machine> {
  const home = await temporaryFolder(t)
  const env: Environment = { HOME: home, DOCKER_CONFIG: join(home, 'docker'), COSIGN_PASSWORD: newPassword() }
  const say = async (...args: string[]): Promise<RunResult> => await run(path, args, { cwd: home, env })
  t.match(await say('login', new URL(gateway.url).host, '-u', username, '-p', password), { code: 0 }, `${username} logs in`)
  t.match(await say('generate-key-pair'), { code: 0 })
  return { home, say }
}

async function story (t: Test, lab: ClientLab, path: string): Promise<void> {
  const { gateway, ci, reader, alice } = lab
  const host = new URL(gateway.url).host
  const [writer, other] = [await machineOf(t, lab, path, ci), await machineOf(t, lab, path, reader)]
  const authorization = basic(alice.username, alice.password)
  const ask = async (target: string, method = 'GET'): ReturnType<typeof askOci> => await askOci(gateway.url, `${TENANT}/${target}`, authorization, { method })
  const charts = new Map<string, Buffer>()
  /** Stores a chart, always the same of its name. @returns how cosign names it */
  const laid = async (chart: string): Promise<string> => {
    const bytes = charts.get(chart) ?? await chartOf(chart, '1.0.0')
    charts.set(chart, bytes)
    await store(lab, ci, TENANT, bytes)
    return `${host}/${TENANT}/${chart}@${digestOfBytes((await ask(`${chart}/manifests/1.0.0`)).bytes)}`
  }

  for (const { name, chart, form } of FORMS) {
    await t.test(`signatures ${name}`, async t => {
      const image = await laid(chart)
      const sign = async ({ say }: Machine): Promise<RunResult> => await say('sign', '--key', 'cosign.key', ...form, ...OFFLINE, ...HERE, image)
      const verify = async ({ say }: Machine, key = join(writer.home, 'cosign.pub')): Promise<RunResult> => await say('verify', '--key', key, ...form, '--insecure-ignore-tlog=true', ...HERE, image)
      t.match(await verify(other), { code: 10, stderr: /no signatures found/ }, 'nobody has signed it')
      t.not((await sign(other)).code, 0, 'who may only read may not sign')
      const signed = await sign(writer)
      t.equal(signed.code, 0, 'sign', { signed })
      t.match(await verify(other), { code: 0, stderr: /signatures were verified against the specified public key/ })
      t.not((await verify(other, join(other.home, 'cosign.pub'))).code, 0, 'not with the key of somebody else')
      t.strictSame(JSON.parse((await ask(`${chart}/tags/list`)).bytes.toString()), { name: `${TENANT}/${chart}`, tags: ['1.0.0'] }, 'Helm sees versions alone')
      t.equal((await ask(`${chart}/manifests/1.0.0`, 'DELETE')).status, 202)
      t.equal(await laid(chart), image, 'the same chart again')
      t.match(await verify(other), { code: 10, stderr: /no signatures found/ }, 'a signature goes with its chart')
    })
  }

  await t.test('attestations, and SBOMs', async t => {
    const image = await laid('attested')
    await writeFile(join(writer.home, 'sbom.json'), '{"bomFormat":"CycloneDX"}')
    const attested = await writer.say('attest', '--key', 'cosign.key', ...OFFLINE, ...HERE, '--type', 'custom', '--predicate', 'sbom.json', image)
    t.equal(attested.code, 0, 'attest', { attested })
    t.match(await other.say('verify-attestation', '--key', join(writer.home, 'cosign.pub'), '--type', 'custom', '--insecure-ignore-tlog=true', ...HERE, image), { code: 0 })
    t.match(await writer.say('attach', 'sbom', '--sbom', 'sbom.json', '--type', 'cyclonedx', ...HERE, image), { code: 0 })
    t.match(await other.say('download', 'sbom', ...HERE, image), { code: 0, stdout: '{"bomFormat":"CycloneDX"}' })
    t.match(await other.say('tree', ...HERE, image), { code: 0, stdout: /artifacts via OCI referrer/ })
  })
}
