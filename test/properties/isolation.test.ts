// Whatever the bytes of a request are, it is answered from the principal's own tenant or
// not at all: valid requests and what becomes of them by mutation, over real sockets.
// `npm run fuzz` sends as many as one likes to the built program.
import fc from 'fast-check'
import t from 'tap'
import { grant, startApp } from '../helpers/app.ts'
import { plans, type Plan } from './fuzz/cases.ts'
import { attempt, investigate, openArena } from './fuzz/fuzzer.ts'
import { startWitness } from './fuzz/witness.ts'
import { shared } from './fuzz/worlds.ts'
import { inShort } from '../helpers/in-short.ts'

const CASES = inShort(3_000, 20_000)
/** At once, each on a connection of its own. */
const BATCH = 25

// as long as a busy machine needs
t.setTimeout(600_000)

for (const { world, cases } of shared(CASES)) {
  await t.test(`${world.name}: no bytes reach anything outside ${world.tenant}, and all get an answer or an end`, async t => {
    const witness = await startWitness(t, world)
    const gateway = await startApp(t, {
      origin: witness.origin,
      config: config => ({
        ...config,
        publicUrl: config.publicUrl + world.basePath,
        basePath: world.basePath,
        charts: { ...config.charts, depth: world.depth, contextPath: world.contextPath }
      })
    })
    const opponent = {
      port: gateway.port,
      token: await gateway.token([grant(world.tenant, 'pull', 'push', 'overwrite', 'delete')]),
      foreignToken: await gateway.token([])
    }
    const arena = await openArena(world, opponent, witness)
    const lines = Array.from({ length: BATCH }, () => arena.open())
    let forwarded = 0
    let before: readonly Plan[] = []
    await fc.assert(fc.asyncProperty(fc.array(plans, { minLength: BATCH, maxLength: BATCH }), async batch => {
      const verdicts = await Promise.all(lines.map(async (line, i) => await attempt(batch[i] as Plan, arena, line)))
      forwarded += verdicts.filter(verdict => verdict.forwarded).length
      const faults = verdicts.flatMap(verdict => verdict.faults)
      if (faults.length === 0) {
        before = batch
        return
      }
      const findings: unknown[] = []
      for (const [i, plan] of batch.entries()) findings.push(...await investigate({ plan, before: before[i] }, arena))
      throw new Error(JSON.stringify({ faults, findings }, null, 2))
    }), { numRuns: cases / BATCH, unbiased: true, endOnFailure: true }) // investigate() shrinks
    for (const line of lines) line.close()
    t.comment(`${forwarded} of ${cases} were forwarded`)
    t.ok(forwarded >= cases / 20, `at least one of twenty cases gets through (${forwarded} of ${cases} did)`)
  })
}
