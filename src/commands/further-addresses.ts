// `chartgate check --upstream` with upstream.urls: do the further addresses answer, and do they
// show the charts that the first shows? That they go on to do so is seen with changes alone,
// by a gateway that runs (upstream/follower.ts).
import type { Config } from '../config/schema.ts'
import { CLOCK } from '../lib/clock.ts'
import { printable } from '../lib/printable.ts'
import type { Upstream } from '../upstream/client.ts'
import { firstContact, whatIsWrong } from '../upstream/first-contact.ts'
import { isOpen, OPEN_DOOR } from '../upstream/open-doors.ts'
import { listedVersions } from '../upstream/listed.ts'
import type { Io } from './command.ts'

/**
 * Says it of each of them; what is wrong is a warning, because a gateway works without them.
 * @param connected first: undefined when it answers nothing that others could be compared with
 */
export async function checkFurther (
  { charts: { depth }, policy }: Pick<Config, 'charts' | 'policy'>,
  { first, further }: { readonly first: Upstream | undefined, readonly further: readonly Upstream[] },
  io: Io
): Promise<void> {
  const tenants = [...new Set(policy.flatMap(({ repositories }) => repositories.filter(each => !each.includes('*'))))]
  for (const other of further) {
    const warn = (sentence: string): void => { io.stderr(`chartgate: warning: ${other.origin}: ${sentence}\n`) }
    const contact = await firstContact(other, depth, CLOCK.wall)
    if (!contact.ok) {
      warn(`${whatIsWrong(contact)}; reads do not go there`)
      continue
    }
    if (await isOpen(other, depth)) warn(`it ${OPEN_DOOR}`)
    if (first === undefined || tenants.length === 0) {
      io.stdout(`the further address ${other.origin} answers as it is configured\n`)
      const why = first === undefined ? 'the first address does not answer' : 'no rule names a tenant without *'
      warn(`it was not compared with the first address: ${why}`)
      continue
    }
    const shows = async (tenant: string): Promise<string | undefined> => {
      const differs = async (): Promise<string | undefined> => {
        const [here, there] = [await listedVersions(first, tenant, depth), await listedVersions(other, tenant, depth)]
        return here === undefined || there === undefined ? 'no list' : differenceOf(here, there)
      }
      return await differs() === undefined ? undefined : await differs() // somebody may push meanwhile
    }
    const different: string[] = []
    for (const tenant of tenants) {
      const found = await shows(tenant)
      if (found !== undefined) different.push(`${tenant} (${printable(found)})`)
    }
    if (different.length > 0) {
      warn(`it does not show what the first address shows, of ${different.join(', ')}: do both have one storage, and ` +
        'is it run with --always-regenerate-chart-index? Reads do not go there')
    } else {
      io.stdout(`the further address ${other.origin} answers as it is configured, and shows the same in all ` +
        `${tenants.length} tenants that rules name; whether it always will is seen with the next changes: ` +
        '/readyz?verbose of a gateway that runs\n')
    }
  }
}

/** A version that only one of both has, or that is another file in each; undefined: none. */
function differenceOf (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): string | undefined {
  return [...a.keys(), ...b.keys()].find(version => a.get(version) !== b.get(version))
}
