// A chart that Helm itself has signed, with a key that gpg makes for this test alone.
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { succeed, type Helm } from './helm.ts'
import type { Test } from 'tap'
import { findProgram, run, ROOT, temporaryFolder } from './processes.ts'

export interface SignedChart {
  readonly chart: Buffer
  readonly prov: Buffer
  /** A file with the public key, as `helm --keyring` takes it. */
  readonly keyring: string
}

const SIGNER = 'a test <signer@chartgate.test>'

/** examples/mychart, signed; undefined without gpg. */
export async function signedChart (t: Test, helm: Helm): Promise<SignedChart | undefined> {
  if (await findProgram('gpg') === undefined) return undefined
  const home = await temporaryFolder(t)
  const [gnupg, secret, keyring] = [join(home, 'gnupg'), join(home, 'secring.gpg'), join(home, 'pubring.gpg')]
  await mkdir(gnupg, { mode: 0o700 })
  const gpg = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await run('gpg', ['--homedir', gnupg, '--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', '', ...args])
    if (code !== 0) throw new Error(`gpg ${args.join(' ')}: ${stderr}`)
  }
  t.teardown(async () => { await run('gpgconf', ['--homedir', gnupg, '--kill', 'gpg-agent']) })
  await gpg('--quick-gen-key', SIGNER, 'rsa2048', 'sign', 'never')
  // Helm reads the form of keyring that gpg had before 2.1.
  await gpg('--output', secret, '--export-secret-keys')
  await gpg('--output', keyring, '--export')
  await succeed(t, helm, ['package', '--sign', '--key', SIGNER, '--keyring', secret, join(ROOT, 'examples', 'mychart')], { home })
  const file = join(home, 'mychart-0.1.0.tgz')
  return { chart: await readFile(file), prov: await readFile(`${file}.prov`), keyring }
}
