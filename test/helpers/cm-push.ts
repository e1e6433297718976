// The cm-push plugin (chartmuseum/helm-push), with the program that is on PATH and a
// plugin.yaml of our own that says the least that Helm needs.
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import type { Helm } from './helm.ts'
import { findProgram } from './processes.ts'

/** The program, or undefined. */
export const cmPush = await findProgram('helm-cm-push')

export const NO_CM_PUSH = 'no helm-cm-push on the PATH'

const COMMAND = { command: '$HELM_PLUGIN_DIR/bin/helm-cm-push' }
const DOWNLOADERS = { downloaders: [{ command: 'bin/helm-cm-push', protocols: ['cm'] }] }

/**
 * Puts the plugin into `folder`, for HELM_PLUGINS. Helm 3 takes command and downloader
 * in one. Helm 4 takes a plugin with downloaders for a getter alone
 * (helm/helm v4.2.4, internal/plugin/metadata.go, fromMetadataLegacy), and no two plugins of
 * one name: there they are two.
 */
export async function installCmPush (folder: string, { name }: Pick<Helm, 'name'>): Promise<void> {
  if (name === 'helm3') await install(folder, 'cm-push', { ...COMMAND, ...DOWNLOADERS })
  else {
    await install(folder, 'cm-push', COMMAND)
    await install(folder, 'cm-getter', { ...COMMAND, ...DOWNLOADERS })
  }
}

/** The plugin as it ships: one folder with both, for Helm 4 too. */
export async function installCmPushAsItShips (folder: string): Promise<void> {
  await install(folder, 'cm-push', { ...COMMAND, ...DOWNLOADERS })
}

async function install (folder: string, name: string, parts: object): Promise<void> {
  if (cmPush === undefined) throw new Error(NO_CM_PUSH)
  const place = join(folder, name)
  await mkdir(join(place, 'bin'), { recursive: true })
  await symlink(resolve(cmPush), join(place, 'bin', 'helm-cm-push'))
  await writeFile(join(place, 'plugin.yaml'), stringify({ name, version: '0.10.4', usage: 'push', description: 'push', ...parts }))
}
