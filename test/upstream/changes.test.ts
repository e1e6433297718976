// A change is told in one way: what is remembered goes, other addresses show it or are left, and
// the others do the same.
import t from 'tap'
import type { Change, ToldChange } from '../../src/upstream/change.ts'
import { readElsewhereWhileTold, tellChanges, type TellChange } from '../../src/upstream/changes.ts'
import type { Question } from '../../src/upstream/client.ts'
import type { HearChange, Peers } from '../../src/upstream/peers.ts'
import type { Showing } from '../../src/upstream/shown.ts'
import type { Upstreams } from '../../src/upstream/upstreams.ts'
import { settled } from '../helpers/channels.ts'
import { heapInUse } from '../helpers/heap.ts'
import { someAsker } from '../helpers/askers.ts'
import { aChange } from '../helpers/changes.ts'

interface Lab {
  readonly changed: TellChange
  readonly hear: HearChange
  readonly doubt: () => void
  /** What was done, in order. */
  readonly done: string[]
  /** Lets the look at the other addresses end, and the others answer. */
  shown (): void
  told (): void
}

function lab ({ isShown = true, mayBeOld = true } = {}): Lab {
  const done: string[] = []
  let [hear, doubt]: [HearChange?, (() => void)?] = []
  let [shown, told] = [() => {}, () => {}]
  const upstreams = {
    async show ({ tenant }: Change) {
      done.push(`look ${tenant}`)
      await new Promise<void>(resolve => { shown = resolve })
    },
    doubt () { done.push('doubt') }
  } as unknown as Upstreams
  const peers = {
    onChange (each: HearChange) { hear = each },
    onDoubt (each: () => void) { doubt = each },
    async changed ({ tenant, isShown }: ToldChange) {
      done.push(`tell ${tenant}${isShown ? '' : ' of what is not shown'}`)
      await new Promise<void>(resolve => { told = resolve })
    }
  } as unknown as Peers
  const showing: Showing = {
    async until ({ tenant }) {
      done.push(`wait ${tenant}`)
      return isShown
    },
    hear (change) { done.push(`hear ${change?.tenant ?? '*'}`) }
  }
  const store = { drop (tenant = '*', isShown: boolean) { done.push(`drop ${tenant}${isShown ? '' : ' for a while'}`) } }
  const changed = tellChanges({ upstreams, peers, showing, store, mayBeOld: () => mayBeOld })
  if (hear === undefined || doubt === undefined) throw new Error('it hears nothing')
  return { changed, hear, doubt, done, shown () { shown() }, told () { told() } }
}

const watched = (promise: Promise<unknown>): (() => boolean) => {
  let isDone = false
  void promise.then(() => { isDone = true })
  return () => isDone
}

await t.test('a change is answered when other addresses show it and the others know it, and what was read meanwhile counts no more', async t => {
  const { changed, done, shown, told } = lab()
  const isDone = watched(changed(aChange(), someAsker()))
  await settled()
  t.strictSame(done, ['wait org1/repo1', 'hear org1/repo1', 'drop org1/repo1', 'look org1/repo1', 'tell org1/repo1'], 'the others look at the same time')
  told()
  await settled()
  t.notOk(isDone())
  shown()
  await settled()
  t.ok(isDone())
  t.strictSame(done.slice(5), ['drop org1/repo1'])
})

await t.test('a change that is not shown in time is told as such, and so is one where every read is of the first address, unless who made it waits for that', async t => {
  for (const { readsNext = false, ...how } of [{ isShown: false }, { mayBeOld: false }, { isShown: false, mayBeOld: false, readsNext: true }]) {
    const { changed, done, shown, told } = lab(how)
    const isDone = watched(changed(aChange(), someAsker(), readsNext))
    await settled()
    const waited = 'isShown' in how ? ['wait org1/repo1'] : []
    t.strictSame(done, [...waited, 'hear org1/repo1', 'drop org1/repo1 for a while', 'look org1/repo1', 'tell org1/repo1 of what is not shown'])
    shown()
    told()
    await settled()
    t.ok(isDone())
  }
})

await t.test('a change that is told keeps nothing of the texts that its names were cut from', async t => {
  const told: ToldChange[] = []
  const changed = tellChanges({
    upstreams: { async show (change: ToldChange) { told.push(change) } } as unknown as Upstreams,
    peers: { onChange () {}, onDoubt () {}, async changed (change: ToldChange) { told.push(change) } } as unknown as Peers,
    showing: { until: async () => true, hear () {} },
    store: { drop () {} },
    mayBeOld: () => true
  })
  const cut = (name: string): string => `${name}, as it is called\n${'#'.repeat(200_000)}`.slice(0, `${name}, as it is called`.length)
  const before = heapInUse()
  for (let i = 0; i < 50; i++) {
    const [tenant, tenantPath, chart, version, became] = ['tenant', 'path', 'chart', 'version', 'digest'].map(name => cut(`${name} ${i}`)) as [string, string, string, string, string]
    await changed(aChange(tenant, { tenantPath, chart, version, became }), someAsker())
  }
  await changed(aChange('org1/repo1', { became: undefined }), someAsker())
  t.ok(heapInUse() - before < 10_000_000)
  t.equal(told.length, 102, 'here and elsewhere')
  t.strictSame(told[14], aChange('tenant 7, as it is called', {
    tenantPath: 'path 7, as it is called', chart: 'chart 7, as it is called', version: 'version 7, as it is called', became: 'digest 7, as it is called'
  }))
  t.equal(told.at(-1)?.became, undefined)
})

await t.test('what another one changed is dropped at once, and looked for before it is said that it was', async t => {
  const { hear, done, shown } = lab()
  const isDone = watched(hear('org1/repo1', aChange()))
  t.strictSame(done, ['hear org1/repo1', 'drop org1/repo1', 'look org1/repo1'], 'and nobody else is told')
  await settled()
  t.notOk(isDone())
  shown()
  await settled()
  t.ok(isDone())
})

await t.test('where nobody knows what changed, other addresses are not known to show it', async t => {
  const { hear, doubt, done } = lab()
  await hear('org1/repo1')
  await hear()
  doubt()
  t.strictSame(done, [
    'hear *', 'drop org1/repo1 for a while', 'doubt', 'drop org1/repo1 for a while',
    'hear *', 'drop * for a while', 'doubt', 'drop * for a while', 'doubt'
  ])
})

await t.test('reads go elsewhere while every change is told, and to the first address else', async t => {
  let knowsAll = true
  const place = (name: string) => (tenant: string) => ({ takesConditions: true, ask: async () => `${name} ${tenant}` })
  const upstreams = readElsewhereWhileTold({ of: place('first'), forReads: place('any') } as unknown as Upstreams, { knowsAll: () => knowsAll })
  const reads = upstreams.forReads('a')
  const asked = async (): Promise<unknown> => await reads.ask({} as Question)
  t.equal(await asked(), 'any a')
  knowsAll = false
  t.equal(await asked(), 'first a', 'also for whoever wanted to ask when all was told')
  knowsAll = true
  t.equal(await asked(), 'any a')
  t.equal(reads.takesConditions, true)
})
