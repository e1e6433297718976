// The scrape of two workers in real processes: one is killed under load, one stands still, and
// no counter ever falls.
import t from 'tap'
import { ask, INDEX, KEY, startSeveral } from '../../helpers/several.ts'
import { untilTrue } from '../../helpers/until.ts'

/** The counters, histograms among them, of a scrape. */
function countersOf (text: string): Map<string, number> {
  const rising = new Set([...text.matchAll(/^# TYPE (\S+) (?:counter|histogram)$/gm)].map(([, name]) => name as string))
  return new Map(text.split('\n').flatMap((line): [string, number][] => {
    const [, series = '', name = '', value = ''] = /^((\w+)(?:\{.*\})?) (\S+)$/.exec(line) ?? []
    return rising.has(name.replace(/_(?:bucket|sum|count)$/, '')) || rising.has(name) ? [[series, Number(value)]] : []
  }))
}

await t.test('no counter falls while one worker is killed and another stands still', { timeout: 90_000 }, async t => {
  const gateway = await startSeveral(t)
  const scrape = async (): Promise<string> => await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  const going = { on: true }
  let answered = 0
  const clients = Array.from({ length: 4 }, async () => {
    while (going.on) {
      const { status } = await ask(gateway, INDEX).catch(() => ({ status: 0 }))
      if (status === 200) answered++
    }
  })
  const fallen: string[] = []
  let before = new Map<string, number>()
  let scrapes = 0
  const watcher = (async () => {
    while (going.on) {
      const now = countersOf(await scrape())
      for (const [series, value] of before) if (!(Number(now.get(series)) >= value)) fallen.push(`${series}: ${value}, then ${now.get(series)}`)
      before = now
      scrapes++
    }
  })()
  const [victim, other] = gateway.workers() as [number, number]
  await untilTrue(() => scrapes > 3 && answered > 20)
  process.kill(victim, 'SIGKILL')
  await untilTrue(() => gateway.workers().length === 2 && !gateway.workers().includes(victim))
  const seen = scrapes
  await untilTrue(() => scrapes > seen + 3)
  process.kill(other, 'SIGSTOP')
  await untilTrue(async () => /^chartgate_workers\{state="unheard"\} 1$/m.test(await scrape()))
  process.kill(other, 'SIGCONT')
  await untilTrue(async () => /^chartgate_workers\{state="unheard"\} 0$/m.test(await scrape()))
  going.on = false
  await Promise.all([...clients, watcher])
  t.same(fallen, [])
  const end = await scrape()
  t.match(end, /^chartgate_workers_restarted_total 1$/m)
  t.match(end, /^chartgate_workers\{state="wanted"\} 2$/m)
  t.match(end, /^chartgate_workers\{state="listening"\} 2$/m)
  t.match(end, /^chartgate_spool_max_bytes 1073741824$/m, 'both have half of it')
  const counted = Number(/^chartgate_requests_total\{route="index",action="pull",outcome="success",reason="none"\} (\d+)$/m.exec(end)?.[1])
  t.ok(counted > 20, `${counted} of ${answered}: what the dead one counted in its last second may lack`)
  t.notMatch(end, KEY)
})
