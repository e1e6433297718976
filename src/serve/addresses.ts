// At how many addresses is the chart repository, and which of them answer? With one it is that
// one alone; with several reads go on while the first is away, where another one follows it.
import type { Check } from '../observe/checks.ts'
import type { Upstream } from '../upstream/client.ts'
import type { FollowerState } from '../upstream/follower.ts'
import type { Every } from '../lib/timers.ts'
import type { Peers } from '../upstream/peers.ts'
import type { Upstreams } from '../upstream/upstreams.ts'

/** `untold`: it follows, and is not read from while something may be changed that is not told here. */
export type AddressState = FollowerState | 'untold'

export interface Addresses {
  readonly first: Pick<Upstream, 'origin' | 'ailment'>
  readonly further: readonly Pick<Upstream, 'origin' | 'ailment'>[]
  /** What those know who answer clients, in the order of `further`. */
  readonly states: () => readonly AddressState[]
}

/** Milliseconds between two looks. */
const LOOK = 100

const NOT_READ_FROM: Readonly<Record<Exclude<AddressState, 'follows'>, string>> = {
  unproven: 'is not read from: it has not shown yet that it follows the first, which takes a few pushes and deletes',
  behind: 'is not read from: it did not show what the first showed. Do both have one storage, and is it run ' +
    'with --always-regenerate-chart-index?',
  untold: 'is not read from for now: Redis cannot be used, or another chartgate is out of touch, and may change ' +
    'what this one is not told of'
}

/** What is known of each further address, whenever that is asked. */
export function addressStates (
  { followers }: Pick<Upstreams, 'followers'>,
  { knowsAll }: Pick<Peers, 'knowsAll'>
): Addresses['states'] {
  return () => followers().map(each => each === 'follows' && !knowsAll() ? 'untold' : each)
}

/** Says it to who cannot ask, now and whenever it is something else. @returns ends that */
export function watchAddresses (
  states: Addresses['states'],
  say: (states: readonly AddressState[]) => void,
  every: Every
): () => void {
  let said = ''
  const look = (): void => {
    const now = states()
    if (now.join() === said) return
    said = now.join()
    say(now)
  }
  look()
  return every(LOOK, look)
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
