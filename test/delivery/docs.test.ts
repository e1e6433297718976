// What the documents show can be followed: every block that is marked `sh runnable` runs,
// in order and in one shell for each document, and prints what stands below it. Every
// other block of every page is in docs-blocks.ts, with the test that runs it or the reason
// why nothing does.
import { access, cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import t, { type Test } from 'tap'
import { NOT_RUN, RUN_ELSEWHERE, type Reason } from './docs-blocks.ts'
import { cmPush, installCmPushAsItShips, NO_CM_PUSH } from '../helpers/cm-push.ts'
import { isAsShown, otherBlocks, runnableBlocks, type Shown } from '../helpers/documents.ts'
import { follow } from '../helpers/follow.ts'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { helmVersions } from '../helpers/helm.ts'
import { notTried, skipped } from '../helpers/not-tried.ts'
import { findProgram, ROOT, type Environment } from '../helpers/processes.ts'

const PAGES = (await readdir(join(ROOT, 'docs'), { recursive: true })).filter(name => name.endsWith('.md')).sort()
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...PAGES.map(name => `docs/${name}`)]

const helms = await helmVersions()
/** Why a block that has these words cannot run here. */
const missing: (readonly [word: RegExp, program: string, reason: string])[] = []
if (!helms.ok) missing.push([/\bhelm4? /, 'helm', helms.reason])
if (cmPush === undefined) missing.push([/\bcm-push\b|\bcm:\/\//, 'helm-cm-push', NO_CM_PUSH])
if (await findProgram('nginx') === undefined) missing.push([/\bnginx\b|:5443\b|\$PROXY/, 'nginx', 'nginx is not installed'])
for (const program of ['curl', 'gpg', 'openssl']) {
  if (await findProgram(program) === undefined) missing.push([new RegExp(`\\b${program}\\b`), program, `no ${program} on the PATH`])
}

t.setTimeout(BUILD_LIMIT)
for (const document of DOCUMENTS.filter(name => !(name in RUN_ELSEWHERE))) {
  const text = await readFile(join(ROOT, document), 'utf8')
  const blocks = runnableBlocks(text)
  if (blocks.length > 0) await t.test(`${document} can be followed`, async t => { await followHere(t, blocks) })
}

await t.test('every other block is run elsewhere, or has its reason (test/docs-blocks.ts)', async t => {
  for (const document of DOCUMENTS) {
    const blocks = otherBlocks(await readFile(join(ROOT, document), 'utf8'))
    const reasons = NOT_RUN[document] ?? []
    const isOf = ({ begins }: Reason, { text }: { readonly text: string }): boolean => text.startsWith(begins)
    const bare = blocks.filter(block => !reasons.some(reason => isOf(reason, block)))
    t.same(bare, [], `${document}: mark it sh runnable, or say why not`)
    t.same(reasons.filter(reason => !blocks.some(block => isOf(reason, block))), [], `${document} has each of them`)
    for (const { test, because, begins } of reasons) {
      t.equal(test === undefined, because !== undefined, begins)
      if (test !== undefined) await t.resolves(access(join(ROOT, test)), test)
    }
  }
  for (const test of Object.values(RUN_ELSEWHERE)) await t.resolves(access(join(ROOT, test)), test)
  t.same(Object.keys(NOT_RUN).filter(name => !DOCUMENTS.includes(name)), [])
})

await t.test('what is shown counts but for what differs from run to run', t => {
  const printed = 'kept in /tmp/chartgate-a1/tmp.Xy12/log at 2026-11-25T00:32:13Z\n...Successfully got b\n...Successfully got a\n'
  t.ok(isAsShown('kept in /tmp/tmp.lab/log at 2027-01-01T00:00:00Z\n...Successfully got a\n...Successfully got b\n', printed))
  t.ok(isAsShown('kept in …\n...Successfully got a\n...Successfully got b', printed))
  for (const wrong of ['', 'kept in …', `${printed}more`, printed.replace('log', 'logs'), printed.replace('got a', 'got c')]) t.notOk(isAsShown(wrong, printed), wrong)
  t.strictSame(runnableBlocks('text\n```sh runnable\na\n```\n```\nb\n```\n```sh\nc\n```\n```sh runnable\nd\n```\n\n```\ne\n```\n'), [
    { line: 2, commands: 'a\n', printed: 'b\n' },
    { line: 11, commands: 'd\n', printed: undefined }
  ])
  const hidden = 'text\n<!-- runnable\na\n-->\n```sh runnable\nb\n```\n```\nc\n```\n```yaml\nd\n```\n'
  t.strictSame(runnableBlocks(hidden), [{ line: 2, commands: 'a\n', printed: undefined }, { line: 5, commands: 'b\n', printed: 'c\n' }])
  t.strictSame(otherBlocks(hidden), [{ line: 11, text: 'd\n' }])
  t.end()
})

async function followHere (t: Test, blocks: readonly Shown[]): Promise<void> {
  const here: Shown[] = []
  for (const block of blocks) {
    const lacks = missing.find(([word]) => word.test(block.commands))
    if (lacks === undefined) here.push(block)
    else if (lacks[1] === 'helm-cm-push') await skipped(t, `line ${block.line}`, lacks[2])
    else await notTried(t, `line ${block.line}`, lacks[2])
  }
  await follow(t, here, { ports: ['5001', '5002', '5003', '5443'], furnish })
}

/** A clone that is built, with what a reader has: Helm 3 as helm, Helm 4 as helm4, the plugin. */
async function furnish (folder: string, there: (text: string) => string): Promise<Environment> {
  const [clone, bin, home, plugins] = ['clone', 'bin', 'home', 'plugins'].map(name => join(folder, name)) as [string, string, string, string]
  for (const each of [clone, bin, home, plugins]) await mkdir(each)
  for (const name of ['dist', 'node_modules', 'package.json']) await symlink(join(ROOT, name), join(clone, name))
  for (const name of ['examples', 'config']) await cp(join(ROOT, name), join(clone, name), { recursive: true })
  for (const name of await readdir(join(clone, 'config'))) {
    const path = join(clone, 'config', name)
    await writeFile(path, there(await readFile(path, 'utf8')))
  }
  // without a terminal, which a reader has, curl draws a meter
  await writeFile(join(home, '.curlrc'), 'silent\n')
  await writeFile(join(bin, 'chartgate'), `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'dist/src/cli.js')}' "$@"\n`, { mode: 0o755 })
  if (helms.ok) for (const { name, path } of helms.versions) await symlink(path, join(bin, name === 'helm3' ? 'helm' : name))
  if (cmPush !== undefined) await installCmPushAsItShips(plugins)
  return { HOME: home, TMPDIR: folder, PATH: `${bin}${delimiter}${process.env['PATH']}`, HELM_PLUGINS: plugins }
}
