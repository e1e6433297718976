// At how many addresses is the chart repository, and which of them answer? With one it is that
// one alone; with several reads go on while the first is away, where another one follows it.
import type { Check } from '../observe/checks.ts'
import type { Upstream } from '../upstream/client.ts'
import type { FollowerState } from '../upstream/follower.ts'

export interface Addresses {
  readonly first: Pick<Upstream, 'origin' | 'ailment'>
  readonly further: readonly Pick<Upstream, 'origin' | 'ailment'>[]
  /** What those know who answer clients, in the order of `further`. */
  readonly states: () => readonly FollowerState[]
}

const NOT_READ_FROM: Readonly<Record<Exclude<FollowerState, 'follows'>, string>> = {
  unproven: 'is not read from: it has not shown yet that it follows the first, which takes a few pushes and deletes',
  behind: 'is not read from: it did not show what the first showed. Do both have one storage, and is it run ' +
    'with --always-regenerate-chart-index?'
}

/** What keeps all reads from being answered, in a sentence; undefined: nothing. */
export async function ailmentOfAll ({ first, further, states }: Addresses): Promise<string | undefined> {
  const ailment = await first.ailment()
  if (ailment === undefined) return undefined
  const known = states()
  const others = await Promise.all(further.map(async (each, i) =>
    known[i] === 'follows' ? await each.ailment() : ailment))
  return others.includes(undefined) ? undefined : ailment
}

/** For /readyz?verbose: what is wrong with an address, whether somebody notices or not. */
export function addressesCheck ({ first, further, states }: Addresses): Check {
  return {
    name: 'upstream.urls',
    hinders: false,
    async look () {
      const known = states()
      const [ofFirst, ...ofFurther] = await Promise.all([first, ...further].map(async each => await each.ailment()))
      return [
        ...(ofFirst === undefined ? [] : [`${first.origin}: ${ofFirst}, and so every change is refused`]),
        ...further.flatMap(({ origin }, i) => {
          const state = known[i] ?? 'unproven'
          const ailment = ofFurther[i] ?? (state === 'follows' ? undefined : NOT_READ_FROM[state])
          return ailment === undefined ? [] : [`${origin}: ${ailment}`]
        })
      ]
    }
  }
}
