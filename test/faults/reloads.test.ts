// A few reloads under load, of what `npm run soak -- reloads` does a thousand times.
import t from 'tap'
import { HAS_PROC } from '../properties/neighbours/proc.ts'
import { notTried } from '../helpers/not-tried.ts'
import { inShort } from '../helpers/in-short.ts'
import { reloads } from './reloads.ts'

await t.test('reloads under load fail no request, and what is taken away is refused by every worker', { timeout: 600_000 }, async t => {
  if (!HAS_PROC) return await notTried(t, 'memory and descriptors', 'this system has no /proc')
  t.same(await reloads(t, { count: inShort(8, 100), say: line => { t.comment(line) } }), [])
})
