// Whatever the bytes of a request are, it is answered from the principal's own tenant or
// not at all: valid requests and what becomes of them by mutation, over real sockets.
// `npm run fuzz` sends as many as one likes to the built program.
import fc from 'fast-check'
import t from 'tap'
import { grant, startApp } from '../helpers/app.ts'
import { plans } from './fuzz/cases.ts'
import { attempt, openArena, printable } from './fuzz/fuzzer.ts'
import { startWitness } from './fuzz/witness.ts'
import { shared } from './fuzz/worlds.ts'

const CASES = 20_000

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
    const line = arena.open()
    let forwarded = 0
    await fc.assert(fc.asyncProperty(plans, async plan => {
      const verdict = await attempt(plan, arena, line)
      if (verdict.forwarded) forwarded++
      if (verdict.faults.length > 0) throw new Error(`${verdict.faults.map(({ kind, text }) => `${kind}: ${text}`).join('\n')}\n${printable(plan, arena.cast)}`)
    }), { numRuns: cases, unbiased: true })
    line.close()
    t.comment(`${forwarded} of ${cases} were forwarded`)
    t.ok(forwarded >= cases / 20, `at least one of twenty cases gets through (${forwarded} of ${cases} did)`)
  })
}
