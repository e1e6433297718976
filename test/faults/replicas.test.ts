// Several replicas in front of one repository, with one Redis: whatever happens to it and to them,
// each read sees all that was answered before it began, and no version is stored twice. The
// repository is two ChartMuseums on one folder, and one of chartgate's own.
import t, { type Test } from 'tap'
import { oneOfOurs, runReplicas, twoMuseums, type Open } from './replicas-lab.ts'
import { findingsOf, OPERATIONS as WHOLE } from './replicas-rounds.ts'
import { inShort } from '../helpers/in-short.ts'
import { chartMuseum, NO_CHARTMUSEUM } from '../helpers/chartmuseum.ts'
import { notTried, skipped } from '../helpers/not-tried.ts'
import { NO_REDIS, redisServer } from '../helpers/redis.ts'

/** That are answered, at least: clients go on until nothing happens any more. */
const OPERATIONS = inShort(400, WHOLE)

async function tryAll (t: Test, open: Open): Promise<void> {
  const run = await runReplicas(t, open, OPERATIONS)
  t.same(findingsOf(run), [], `${run.answered} answered, ${run.stored} stored, ${run.conflicts} conflicts, ${run.failed} without an answer, ${run.readsElsewhere} reads elsewhere`)
}

t.setTimeout(600_000)
if (redisServer === undefined) await notTried(t, 'replicas with a real Redis', NO_REDIS)
else {
  if (chartMuseum === undefined) await skipped(t, 'two ChartMuseums', NO_CHARTMUSEUM)
  else await t.test('two ChartMuseums on one folder', async t => { await tryAll(t, twoMuseums) })
  await t.test('one chartgate repository', async t => { await tryAll(t, oneOfOurs) })
}
