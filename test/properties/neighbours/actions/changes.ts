// Deletes, of what is there and of what is not, in every spelling.
import { PLACES } from '../cast.ts'
import { tokenOf, type Action, type Client } from '../client.ts'
import type { Random } from '../random.ts'
import { headOf, uploadTarget } from '../requests.ts'
import { ENDINGS } from '../wire.ts'

/** Name and version, as they stand in the path. */
const ODD = [
  'a..b/0.1.0', '..x/0.1.0', 'same/1.0.1', 'chart1/1-1.0', 'none/0.0.1', 'good/0.1.0%00',
  'mychart/0.1.0%20(1)', 'mychart/0.1.0%20-%20Copy', 'a%26b/0.1.0', 'gr%C3%B6%C3%9Fe/0.1.0', 'gr%c3%b6/0.1.0',
  'foo%2520bar/0.1.0', 'x%2Fy/0.1.0', '%2e%2e/0.1.0', `${'n'.repeat(200)}/0.1.0`, `${'n'.repeat(251)}/0.1.0`
]

async function deletes (client: Client, random: Random): Promise<void> {
  const [count, ending] = [random.between(1, 20), random.pick(ENDINGS)]
  const place = random.pick([client.tenant, PLACES.common, ...PLACES.odd])
  const ordinary = (): string => `chart${random.below(6)}/${random.below(3)}.${random.below(30)}.0`
  const chosen = Array.from({ length: count }, () => random.percent(70) ? random.pick(ODD) : ordinary())
  const first = chosen.slice(0, 6).map(each => each.slice(0, 30)).join(', ')
  client.note(`DELETE in ${place} of ${first}${count > 6 ? ', …' : ''} on one connection, then ${ending}`)
  const line = client.wire.open()
  for (const each of chosen) {
    line.send(headOf({ method: 'DELETE', target: `${uploadTarget(place)}/${each}`, headers: [tokenOf(client)] }))
    if (random.percent(50)) await client.wire.pause(random.between(0, 50))
  }
  await client.wire.pause(random.pick([0, 100]))
  line.end(ending)
}

export const CHANGES: readonly Action[] = [
  { name: 'deletes', weight: 4, run: deletes }
]
