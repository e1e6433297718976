// Which test files share a process? To start one costs more than most files do: tap's
// loader sees each of a gateway's modules. So files of a folder run together, a few in each
// process; those that look at their process itself, replace modules or take long have their own.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files of one process. */
const TOGETHER = 8
/** What npm run test:clients runs, one by one. */
const OTHERS = /^(?:clients|proxies|delivery)\/|^faults\/(?:disk|processes|rolling-restart)\./

/** Who has a process of their own, below test/. */
const ALONE = [
  // they count what their process holds or does
  /^properties\//, /^faults\//,
  /^regressions\/(?:36|37|39|49|50|51)-/,
  /^gateway\/(?:descriptors|upload-memory)\./,
  /^config\/reading\./,
  // they replace modules
  /^serve\/state-dir\./, /^observe\/audit\/audit-file\./, /^lib\/read-only\./, /^tokens\/key-folder\./,
  // they take long: others would wait
  /^serve\/(?:audit|server|signals|until-signal|walkthrough.*)\./, /^serve\/workers\/(?:fork|hung-workers|metrics|processes|worker)\./,
  /^doors\/chartmuseum\/routing-recordings\./, /^repository\/loader\./,
  /^regressions\/(?:31|38|40|41|42|43|44|45|46|48)-/,
  /^read-only-disk\./
]

/**
 * Files by the name of what runs them.
 * @param {readonly string[]} files below test/, sorted
 * @returns {Map<string, string[]>}
 */
export function groupsOf (files) {
  const groups = new Map()
  for (const file of files) {
    if (OTHERS.test(file)) continue
    const name = file.replace(/\.test\.ts$/, '').replaceAll('/', '-')
    if (ALONE.some(alone => alone.test(file))) {
      groups.set(name, [file])
      continue
    }
    const folder = file.includes('/') ? file.replace(/\/[^/]*$/, '').replaceAll('/', '-') : 'root'
    let n = 1
    while ((groups.get(`${folder}-${n}`)?.length ?? 0) >= TOGETHER) n++
    groups.set(`${folder}-${n}`, [...groups.get(`${folder}-${n}`) ?? [], file])
  }
  return groups
}

/** Writes what tap runs: a module for each group. @param {string} root */
export function writeGroups (root) {
  const place = join(root, 'dist/test/groups')
  mkdirSync(place, { recursive: true })
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.test.ts')).sort()
  for (const [name, group] of groupsOf(files)) writeFileSync(join(place, `${name}.test.js`), moduleOf(group))
}

/** @param {readonly string[]} files */
function moduleOf (files) {
  const imports = files.map(file => {
    const made = file.replace(/\.ts$/, '.js')
    return `t.comment('test/${file}')\nawait import('../${made}').catch(error => { t.fail('test/${file}', { error }) })\n`
  })
  // Between two files nothing runs, which tap takes for the end when something is to be torn down at it.
  const hold = "Object.defineProperty(t, 'idle', { get: () => false, configurable: true })"
  return `import t from 'tap'\nt.setTimeout(900_000)\n${hold}\n${imports.join('')}delete t.idle\nt.end()\n`
}
