// The page of limits names metrics, reasons and keys that there are, and the defaults that they have.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { ConfigSchema } from '../../src/config/schema.ts'
import { leaves } from '../../src/files/nodes.ts'
import { REASONS } from '../../src/http/reasons.ts'
import { METRICS } from '../../src/metrics/table.ts'
import { ROOT } from '../helpers/processes.ts'

await t.test('docs/limits.md says what the tables say', async t => {
  const text = await readFile(join(ROOT, 'docs/limits.md'), 'utf8')
  for (const [, name = ''] of text.matchAll(/`((?:chartgate|http)_[a-z_]+)/g)) t.ok(name in METRICS, name)
  for (const [, code = ''] of text.matchAll(/\(`([a-z_]+)`\)/g)) t.ok(code in REASONS, code)
  const defaults = new Map(leaves(ConfigSchema).map(({ path, node }) => [path.join('.'), String(node.default)]))
  for (const [, key = '', value] of text.matchAll(/`((?:listen|limits|charts)\.[A-Za-z.]+)`(?:, ([0-9]+[A-Za-z]*))?/g)) {
    if (key === 'limits.logins') continue
    t.ok(defaults.has(key), key)
    if (value !== undefined) t.equal(value, defaults.get(key), key)
  }
  t.end()
})
