// What one replica keeps the others find, and all agree which pushed manifest has a tag.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createKept, type Kept } from '../../../src/doors/oci/kept.ts'
import type { KeptContent, TaggedVersion } from '../../../src/doors/oci/kept-file.ts'
import { createKeptShelf } from '../../../src/doors/oci/kept-shelf.ts'
import { createKeptByAll } from '../../../src/doors/oci/kept-by-all.ts'
import type { Answered } from '../../../src/replicas/answered.ts'
import { pushOf } from '../../helpers/oci.ts'
import { temporaryFolder } from '../../helpers/processes.ts'

const PLACE = { name: 'org1/repo1/mychart' }
const [A, B] = ['a', 'b'].map(digit => digit.repeat(64)) as [string, string]
const hexOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** What a Redis would have, and how often it was asked for what. */
interface Shared extends Answered {
  readonly contents: Map<string, string>
  readonly versions: Map<string, { last: string, has: Map<string, string> }>
  readonly asked: string[]
  isAway: boolean
  isFull: boolean
}

function shared (): Shared {
  let number = 1_000
  const all = {
    contents: new Map<string, string>(),
    versions: new Map<string, { last: string, has: Map<string, string> }>(),
    asked: [] as string[],
    isAway: false,
    isFull: false
  }
  const of = (tag: string): { last: string, has: Map<string, string> } => {
    const known = all.versions.get(tag) ?? { last: '', has: new Map<string, string>() }
    all.versions.set(tag, known)
    return known
  }
  async function ask<T> (what: string, work: () => T): Promise<T | undefined> {
    all.asked.push(what)
    return all.isAway ? undefined : work()
  }
  return Object.assign(all, {
    content: async (_place, hex) => await ask('content', () => all.contents.get(hex) ?? ''),
    keep: async (_place, tag, { hex, archive, text }) => await ask('keep', () => {
      all.contents.set(hex, text)
      of(tag).has.set(hex, archive)
      return 1
    }),
    version: async (_place, tag) => await ask('version', () => ({ last: of(tag).last, has: [...of(tag).has.keys()] })),
    tag: async (_place, tag, text, after) => await ask('tag', () => {
      if (all.isFull) return 0
      number = Math.max(number, after) + 1
      of(tag).last = `${number} ${text}`
      return number
    }),
    tagAgain: async (_place, tag, text, instead) => await ask('tagAgain', () => {
      if (of(tag).last === instead) of(tag).last = text
    }),
    forget: async (_place, tag, archive) => await ask('forget', () => {
      const known = of(tag)
      if (known.last.includes(archive)) known.last = `${++number} `
      for (const [hex, its] of known.has) {
        if (its !== archive) continue
        known.has.delete(hex)
        all.contents.delete(hex)
      }
    })
  } satisfies Answered)
}

async function replica (t: Test, redis: Answered): Promise<Kept & { readonly own: Kept, readonly dir: string }> {
  const dir = join(await temporaryFolder(t), 'oci')
  const own = createKept(dir, error => { throw error })
  return { ...createKeptByAll(own, redis), own, dir }
}

interface Pushed { readonly hex: string, readonly config: string, readonly version: TaggedVersion }

/** Keeps what a push of this archive brings. */
async function push (kept: Kept, created: string, archive = A, version = '1.0.0'): Promise<Pushed> {
  const { manifest, blobs: [config] } = pushOf('mychart', version, { chart: Buffer.from(archive), created })
  const of = { version, archive }
  const known = { archive, size: 5, tagged: hexOf(manifest), pushed: manifest.length }
  await kept.keep(PLACE, [[hexOf(config as Buffer), { ...of, kind: 'config', bytes: config as Buffer }]])
  await kept.keep(PLACE, [[archive, { ...of, kind: 'archive', bytes: Buffer.alloc(0) }]])
  await kept.keep(PLACE, [[known.tagged, { ...of, kind: 'manifest', bytes: manifest }]])
  await kept.keepVersion(PLACE, version, known)
  return { hex: known.tagged, config: hexOf(config as Buffer), version: known }
}

const taggedAt = async (kept: Kept, archive = A): Promise<string | undefined> => (await kept.version(PLACE, '1.0.0', archive))?.tagged

await t.test('what one keeps another one finds, and keeps for itself; an unknown digest costs one question', async t => {
  const redis = shared()
  const [one, other] = [await replica(t, redis), await replica(t, redis)]
  const { hex, config, version } = await push(one, 'x')
  t.equal((await other.find(PLACE, hex))?.kind, 'manifest')
  t.equal((await other.find(PLACE, config, A))?.kind, 'config')
  t.match(await other.version(PLACE, '1.0.0', A), version)
  t.match(await other.version(PLACE, '1.0.0'), version)
  redis.isAway = true
  redis.asked.length = 0
  t.equal((await other.find(PLACE, hex))?.kind, 'manifest')
  t.strictSame(redis.asked, [])
  t.match(await other.version(PLACE, '1.0.0', A), version)
  t.equal(await other.find(PLACE, B), undefined)
  t.strictSame(redis.asked, ['version', 'content'])
  redis.isAway = false
  t.equal(await other.find(PLACE, B), undefined)
})

await t.test('who pulls tells each content once, and no archive, no large file and no bytes that are no text', async t => {
  const redis = shared()
  const one = await replica(t, redis)
  const content = (kind: KeptContent['kind'], bytes: Buffer): KeptContent => ({ kind, version: '1.0.0', archive: A, bytes })
  await one.keep(PLACE, [[A, content('archive', Buffer.alloc(0))]])
  await one.keep(PLACE, [[B, content('config', Buffer.alloc(64 * 1024 + 1, 0x20))]])
  await one.keep(PLACE, [['c'.repeat(64), content('provenance', Buffer.of(0xff))]])
  t.strictSame(redis.asked, [])
  redis.isAway = true
  for (let i = 0; i < 2; i++) await one.keep(PLACE, [['d'.repeat(64), content('config', Buffer.from('{}'))]])
  t.strictSame(redis.asked, ['keep', 'keep'])
  redis.isAway = false
  for (let i = 0; i < 2; i++) await one.keep(PLACE, [['d'.repeat(64), content('config', Buffer.from('{}'))]])
  t.equal(redis.asked.length, 3)
  redis.contents.clear()
  redis.versions.clear()
  await one.version(PLACE, '1.0.0', A)
  await one.keep(PLACE, [['d'.repeat(64), content('config', Buffer.from('{}'))]])
  t.equal(redis.contents.size, 1, 'again when a look at the version says that Redis has lost it')
  await one.learnVersion(PLACE, '1.0.0', { archive: A, size: 5 }, undefined)
  t.equal(redis.versions.get('1.0.0')?.last, '', 'nothing that was pushed has the tag')
})

await t.test('the last push of an archive has the tag at all, also where another one was', async t => {
  const redis = shared()
  const [one, other] = [await replica(t, redis), await replica(t, redis)]
  const first = await push(one, 'first')
  t.equal(await taggedAt(other), first.hex)
  const second = await push(other, 'second')
  t.strictSame([await taggedAt(one), await taggedAt(other)], [second.hex, second.hex])
  t.equal(await taggedAt(one.own), second.hex, 'it is kept for a time without Redis')
  for (const kept of [one, other]) for (const { hex } of [first, second]) t.equal((await kept.find(PLACE, hex))?.kind, 'manifest')
  const [third, fourth] = await Promise.all([push(one, 'third'), push(other, 'fourth')])
  const now = await taggedAt(one)
  t.ok([third.hex, fourth.hex].includes(now as string))
  t.equal(await taggedAt(other), now)
})

await t.test('without Redis each goes by what it has; then the later push has the tag, and an empty Redis is told all', async t => {
  const redis = shared()
  const [one, other, third] = [await replica(t, redis), await replica(t, redis), await replica(t, redis)]
  const first = await push(one, 'first')
  t.equal(await taggedAt(other), first.hex)
  redis.isAway = true
  const second = await push(other, 'second')
  t.strictSame([await taggedAt(one), await taggedAt(other)], [first.hex, second.hex])
  redis.isAway = false
  redis.contents.clear()
  redis.versions.clear()
  t.strictSame([await taggedAt(third), await taggedAt(one)], [undefined, first.hex])
  t.strictSame([await taggedAt(other), await taggedAt(third), await taggedAt(one)], [second.hex, second.hex, second.hex])
  for (const hex of [second.hex, second.config]) t.not(await third.find(PLACE, hex), undefined)
  redis.isFull = true
  const last = await push(one, 'last')
  t.equal(await taggedAt(one), last.hex, 'where Redis takes no more it is as without')
})

await t.test('of two pushes with one number, by clocks of their own, the one that Redis hears of first has the tag', async t => {
  const redis = shared()
  const [one, other] = [await replica(t, redis), await replica(t, redis)]
  const [first, second] = [await push(one.own, 'first'), await push(other.own, 'second')]
  await one.own.keepVersion(PLACE, '1.0.0', { ...first.version, taggedAt: 7 })
  await other.own.keepVersion(PLACE, '1.0.0', { ...second.version, taggedAt: 7 })
  t.strictSame([await taggedAt(other), await taggedAt(one), await taggedAt(other)], [second.hex, second.hex, second.hex])
})

await t.test('a manifest that is not there, or is none, is not told again', async t => {
  const redis = shared()
  const one = await replica(t, redis)
  await one.own.keepVersion(PLACE, '1.0.0', { archive: A, size: 5, tagged: B })
  t.equal(await taggedAt(one), B)
  await one.own.keep(PLACE, [[B, { kind: 'manifest', version: '1.0.0', archive: A, bytes: Buffer.from('none') }]])
  t.equal(await taggedAt(one), B)
  t.strictSame([redis.contents.size, redis.asked.includes('tagAgain')], [0, false])
  const { manifest } = pushOf('mychart', '1.0.0', { chart: Buffer.from(A), provenance: 'signed' })
  const hex = hexOf(manifest)
  await one.own.keep(PLACE, [[hex, { kind: 'manifest', version: '1.0.0', archive: A, bytes: manifest }]])
  await one.own.keepVersion(PLACE, '1.0.0', { archive: A, size: 5, tagged: hex })
  t.equal(await taggedAt(one), hex)
  t.strictSame([...redis.contents.keys()], [hex], 'what it names may not be kept any more')
})

await t.test('what is gone at one is gone at all, and nobody who has it still tells it again', async t => {
  const redis = shared()
  const [one, other] = [await replica(t, redis), await replica(t, redis)]
  const { hex } = await push(one, 'first')
  t.equal(await taggedAt(other), hex)
  await one.forget(PLACE, '1.0.0', undefined)
  t.strictSame([redis.contents.size, await one.find(PLACE, hex), await taggedAt(one)], [0, undefined, undefined])
  t.strictSame(await other.version(PLACE, '1.0.0', A), { archive: A, size: 5, pushed: (await other.own.version(PLACE, '1.0.0'))?.pushed })
  t.equal(await taggedAt(one), undefined)
  const again = await push(one, 'again')
  t.equal(await taggedAt(other), again.hex)
})

await t.test('what one took for gone is not taken from the others, and it has it again as soon as it is asked for', async t => {
  const redis = shared()
  const [one, other] = [await replica(t, redis), await replica(t, redis)]
  const { hex, config } = await push(one, 'first')
  redis.asked.length = 0
  await createKeptShelf(one.dir, () => Date.now() + 86_400_000).remove(PLACE, () => true)
  t.strictSame([await one.own.find(PLACE, hex), await one.own.version(PLACE, '1.0.0')], [undefined, undefined])
  t.strictSame(redis.asked, [], 'nobody else is told')
  for (const each of [other, one]) {
    t.equal((await each.find(PLACE, hex, A))?.kind, 'manifest')
    t.equal((await each.find(PLACE, config, A))?.kind, 'config')
    t.equal(await taggedAt(each), hex)
    t.equal((await each.own.find(PLACE, hex))?.archive, A)
  }
})

await t.test('another archive has a tag of its own, and who learns of it late takes nothing from who pushed it', async t => {
  const redis = shared()
  const [one, other] = [await replica(t, redis), await replica(t, redis)]
  const old = await push(one, 'old')
  t.equal(await taggedAt(other), old.hex)
  const fresh = await push(other, 'new', B)
  await other.forget(PLACE, '1.0.0', B)
  t.equal(await taggedAt(one), undefined, 'of the archive of before')
  t.equal(await taggedAt(one, B), fresh.hex)
  t.equal(await one.own.find(PLACE, old.hex), undefined)
  await one.forget(PLACE, '1.0.0', B)
  t.strictSame([await taggedAt(one, B), await taggedAt(other, B)], [fresh.hex, fresh.hex])
  await one.forget(PLACE, '1.0.0', A)
  t.equal(redis.versions.get('1.0.0')?.last.includes(B), false)
})

await t.test('what Redis has is believed no more than a file: other bytes than the digest says, another archive, no version', async t => {
  const redis = shared()
  const one = await replica(t, redis)
  const hex = hexOf(Buffer.from('{}'))
  for (const text of ['', 'nothing', `config 1.0.0 ${A}\n{ }`, 'config 1.0.0 short\n{}', `config 1.0.0 ${B}\n{}`, `archive 1.0.0 ${A}\n{}`]) {
    redis.contents.set(hex, text)
    t.equal(await one.find(PLACE, hex, A), undefined, text)
  }
  for (const text of [`config ../1.0.0 ${A}\n{}`, `config 1.0.0-${'x'.repeat(128)} ${A}\n{}`, `manifest 1.0.0 ${A}\n{}`]) {
    redis.contents.set(hex, text)
    t.equal(await one.find(PLACE, hex, A), undefined, text)
  }
  redis.contents.set(hex, `config 1.0.0 ${A}\n{}`)
  t.match(await one.find(PLACE, hex, A), { kind: 'config', version: '1.0.0', archive: A })
  redis.contents.set(hex, `config 2.0.0 ${B}\n{}`)
  t.match(await one.find(PLACE, hex, B), { version: '2.0.0', archive: B }, 'of another archive by now')
  t.match(await one.find(PLACE, hex, A), { archive: B }, 'which says so')
  const good = { archive: A, size: 5, tagged: B, pushed: 1 }
  for (const bad of ['', 'no number', '5', '5 ', '5 null', '5 {', ...[{ archive: 5 }, { archive: 'a' }, { tagged: undefined }, { size: -1 }, { size: '5' }, { pushed: 0.5 }].map(each => `5 ${JSON.stringify({ ...good, ...each })}`)]) {
    redis.versions.set('1.0.0', { last: bad, has: new Map() })
    t.equal(await one.version(PLACE, '1.0.0', A), undefined, bad)
  }
  redis.versions.set('1.0.0', { last: `5 ${JSON.stringify(good)}`, has: new Map() })
  t.strictSame(await one.version(PLACE, '1.0.0', A), { ...good, taggedAt: 5 })
  redis.versions.set('1.0.0', { last: `6 ${JSON.stringify({ ...good, size: 7 })}`, has: new Map() })
  t.strictSame(await one.version(PLACE, '1.0.0', A), { ...good, taggedAt: 6 }, 'how large its archive is a replica knows itself')
  for (const text of ['5', '[]', '{"config":5,"layers":[]}', '{"config":{},"layers":"abc"}', '{"config":{},"layers":[null]}']) {
    redis.contents.set(hexOf(Buffer.from(text)), `manifest 1.0.0 ${A}\n${text}`)
    t.equal(await one.find(PLACE, hexOf(Buffer.from(text)), A), undefined, text)
  }
})

await t.test('what is not kept, because it is stored no more, is not told', async t => {
  const redis = shared()
  const { keep } = await replica(t, redis)
  const bytes = Buffer.from('{}')
  const contents = [[hexOf(bytes), { kind: 'config', version: '1.0.0', archive: A, bytes }]] as const
  await keep(PLACE, contents, async () => {})
  t.strictSame(redis.asked, [])
  await keep(PLACE, contents, async work => { await work() })
  t.strictSame(redis.asked, ['keep'])
})
