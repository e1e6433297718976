// Which test files share a process? To start one costs more than most files do: tap's
// loader sees each of a gateway's modules, some four seconds of a processor. So files run
// together, one after the other; groups that take longest begin first, and so none is last.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Files of one process, of those that no group below names. With 32 a group once stood still
 * between two files, as if an import had got lost on its way through tap's loader.
 */
const TOGETHER = 12
/**
 * What npm run test:clients runs, each in a process of its own: real clients, proxies and
 * packages; whole gateways that are flooded, stopped, killed or starved; what is measured by
 * the time of a processor. None of them runs a line in its own process that no other test runs.
 */
const OTHERS = [
  /^(?:clients|proxies|delivery)\//,
  /^faults\/(?!patience\.)/,
  /^properties\/(?:neighbours|linear-input)\./,
  /^regressions\/(?:41|43|45|46|50)-/,
  /^replicas\/valkey\./,
  /^serve\/workers\/(?:hung-workers|metrics|processes|revoked|tls-names|tls-swap)\./,
  /^read-only-disk\.|^gateway\/(?:descriptors|upload-memory)\./
]

/** Groups with a reason, those that take longest first. */
const GROUPS = [
  // they take the processor time of their own process, which others would add to
  ['measured', /^config\/reading\.|^regressions\/(?:39-input|51)-/],
  // it counts what is in the memory of its process
  ['counted', /^regressions\/36-/],
  // they wait for programs that they start
  ['programs-1', /^regressions\/(?:37|48)-|^faults\//],
  ['programs-2', /^regressions\/(?:31|38|39-chains|40|42|44|49)-/],
  ['recorded', /^doors\/chartmuseum\/routing-recordings\.|^repository\/|^properties\//],
  ['serve', /^serve\/(?:audit|audit-part|server|signals|until-signal|walkthrough.*)\.|^serve\/workers\/(?:fork|worker)\./],
  // they replace modules
  ['replaced', /^serve\/state-dir\.|^observe\/audit\/audit-file\.|^lib\/read-only\.|^tokens\/key-folder\./]
]

/**
 * Files by the name of what runs them, in the order in which they begin.
 * @param {readonly string[]} files below test/, sorted
 * @returns {Map<string, string[]>}
 */
export function groupsOf (files) {
  const groups = new Map(GROUPS.map(([name]) => [name, []]))
  const rest = []
  for (const file of files.filter(file => !isOther(file))) {
    const named = GROUPS.find(([, members]) => members.test(file))
    if (named !== undefined) groups.get(named[0]).push(file)
    else rest.push(file)
  }
  for (let i = 0; i < rest.length; i += TOGETHER) {
    const group = rest.slice(i, i + TOGETHER)
    groups.set(`${folderOf(group[0])}-to-${folderOf(group.at(-1))}-${i / TOGETHER + 1}`, group)
  }
  return groups
}

/** @param {string} file */
function isOther (file) {
  return OTHERS.some(other => other.test(file))
}

/** @param {string} file */
function folderOf (file) {
  return file.includes('/') ? file.replace(/\/.*/, '') : 'root'
}

/** Writes what tap runs: a module for each group, and one for each of the others. @param {string} root */
export function writeGroups (root) {
  const [place, others] = ['dist/test/groups', 'dist/test/others'].map(name => emptyFolder(join(root, name)))
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.test.ts')).sort()
  const groups = [...groupsOf(files)].filter(([, group]) => group.length > 0)
  // tap takes them by their names
  for (const [i, [name, group]] of groups.entries()) {
    writeFileSync(join(place, `${String(i + 1).padStart(2, '0')}-${name}.test.js`), moduleOf(group))
  }
  for (const file of files.filter(isOther)) {
    writeFileSync(join(others, file.replaceAll('/', '-').replace(/ts$/, 'js')), moduleOf([file]))
  }
}

/** @param {string} path */
function emptyFolder (path) {
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path, { recursive: true })
  return path
}

/** @param {readonly string[]} files */
function moduleOf (files) {
  const imports = files.map(file => {
    const made = file.replace(/\.ts$/, '.js')
    return `t.comment('test/${file}')\nawait import('../${made}').catch(error => { t.fail('test/${file}', { error }) })\n`
  })
  // Between two files nothing runs, which tap takes for the end when something is to be torn down at it.
  const hold = "Object.defineProperty(t, 'idle', { get: () => false, configurable: true })"
  // The limit that a file sets is for itself, and would be that of all of them together.
  const limit = "t.setTimeout(900_000)\nObject.defineProperty(t, 'setTimeout', { value () {} })"
  return `import t from 'tap'\n${limit}\n${hold}\n${imports.join('')}delete t.idle\nt.end()\n`
}
