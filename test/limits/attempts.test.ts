import t from 'tap'
import type { Standing } from '../../src/limits/standing.ts'
import { ALWAYS_HERE, createPresence, type Presence } from '../../src/lib/presence.ts'
import { UNLIMITED, type LoginLimits } from '../../src/limits/logins.ts'
import { PASSWORD_LIMITS, createAttempts, type Verdict } from '../../src/limits/attempts.ts'

interface Ask {
  readonly name: string
  readonly from?: string
  readonly account?: string
  readonly presence?: Presence
  readonly isUnread?: boolean
}

/** Attempts whose hashes end when the test says so. */
class Lab {
  time = 0
  /** Which have begun, in order. */
  readonly begun: string[] = []
  /** Who was told what, in order. */
  readonly told: string[] = []
  private readonly ends = new Map<string, { resolve: (isRight: boolean) => void, reject: (error: unknown) => void }>()
  readonly timers = new Set<{ readonly at: number, readonly run: () => void }>()
  private readonly attempts
  standing (): Standing { return this.attempts.standing() }

  constructor (limits: Partial<typeof PASSWORD_LIMITS> = {}, logins: LoginLimits = UNLIMITED) {
    this.attempts = createAttempts(() => this.time, logins, { ...PASSWORD_LIMITS, ...limits }, (ms, run) => {
      const timer = { at: this.time + ms / 1000, run }
      this.timers.add(timer)
      return () => { this.timers.delete(timer) }
    })
  }

  /** Lets seconds pass. */
  pass (seconds: number): void {
    this.time += seconds
    for (const timer of [...this.timers]) if (timer.at <= this.time && this.timers.delete(timer)) timer.run()
  }

  async ask ({ name, from = '192.0.2.1', account = 'alice', presence = ALWAYS_HERE, isUnread }: Ask): Promise<Verdict> {
    const verdict = await this.attempts.judge({
      name,
      account,
      asker: { address: from, presence, ...(isUnread === undefined ? {} : { isUnread: () => isUnread }) },
      compare: async () => {
        this.begun.push(name)
        return await new Promise((resolve, reject) => { this.ends.set(name, { resolve, reject }) })
      }
    })
    this.told.push(`${name} ${String(verdict)}`)
    return verdict
  }

  async end (name: string, isRight = false): Promise<void> {
    await turn() // all who asked have come
    this.ends.get(name)?.resolve(isRight)
    await turn()
  }

  async fail (name: string, error: Error): Promise<void> {
    this.ends.get(name)?.reject(error)
    await turn()
  }
}

/** Limits that let everybody begin, and write down what became of each. */
function ticketed (settled: string[]): LoginLimits {
  const begun: string[] = []
  return {
    ...UNLIMITED,
    begin: async ({ origin, proof }) => ({ ok: true, ticket: begun.push(`${origin} ${proof}`) - 1 }),
    settle: async (ticket, outcome) => { settled.push(`${begun[ticket]} ${outcome}`) }
  }
}

async function turn (): Promise<void> {
  await new Promise(resolve => { setImmediate(resolve) })
}

await t.test('who may have gone unseen behind a body that is not read waits for less than a second, and everybody else for their turn', async t => {
  const lab = new Lab({ atOnce: 1 })
  const asked = [lab.ask({ name: 'first', isUnread: true }), lab.ask({ name: 'seen', account: 'bob' }), lab.ask({ name: 'unseen', account: 'carol', isUnread: true })]
  await turn()
  lab.pass(0.9)
  t.strictSame(lab.told, [])
  lab.pass(0.1)
  await turn()
  t.strictSame(lab.told, ['unseen refused'], 'what has begun goes on')
  await lab.end('first')
  await lab.end('seen', true)
  t.strictSame(await Promise.all(asked), ['wrong', 'right', 'refused'])
  t.equal(lab.timers.size, 0)
})

await t.test('two hashes run at once, however many are asked for, and each is told', async t => {
  const lab = new Lab()
  const asked = ['1', '2', '3', '4', '5'].map(async (name, i) => await lab.ask({ name, account: `user${i}` }))
  await turn()
  t.strictSame(lab.begun, ['1', '2'])
  await lab.end('2', true)
  t.strictSame(lab.begun, ['1', '2', '3'])
  for (const name of ['1', '3', '4', '5']) await lab.end(name)
  t.strictSame(await Promise.all(asked), ['wrong', 'right', 'wrong', 'wrong', 'wrong'])
})

await t.test('the same credentials at once are one hash, whoever asks and from wherever', async t => {
  const lab = new Lab()
  const asked = [lab.ask({ name: 'x' }), lab.ask({ name: 'x' }), lab.ask({ name: 'x', from: '192.0.2.2' })]
  await turn()
  asked.push(lab.ask({ name: 'x', from: '192.0.2.3' }))
  await lab.end('x', true)
  t.strictSame(await Promise.all(asked), ['right', 'right', 'right', 'right'])
  t.strictSame(lab.begun, ['x'])
  const again = lab.ask({ name: 'x' })
  await turn()
  await lab.end('x')
  t.equal(await again, 'wrong')
  t.strictSame(lab.begun, ['x', 'x'], 'later they are hashed again')
})

await t.test('the same credentials from a new address have that address\'s turn', async t => {
  const lab = new Lab({ atOnce: 1 })
  for (let i = 0; i < 6; i++) void lab.ask({ name: `guess${i}` })
  void lab.ask({ name: 'good', account: 'bob' })
  void lab.ask({ name: 'good', account: 'bob', from: '192.0.2.9' })
  await lab.end('guess0')
  t.strictSame(lab.begun, ['guess0', 'good'])
})

await t.test('an address that came with wrong ones comes after the others', async t => {
  const lab = new Lab({ atOnce: 1 })
  void lab.ask({ name: 'a1' })
  void lab.ask({ name: 'a2' })
  await lab.end('a1')
  void lab.ask({ name: 'a3' })
  void lab.ask({ name: 'b1', from: '2001:db8::1' })
  void lab.ask({ name: 'b2', from: '2001:db8::2' })
  await lab.end('a2')
  await lab.end('b1', true)
  t.strictSame(lab.begun, ['a1', 'a2', 'b1', 'b2'], 'a right one is held against nobody')
  await lab.end('b2')
  await lab.end('a3')
  t.strictSame(lab.told, ['a1 wrong', 'a2 wrong', 'b1 right', 'b2 wrong', 'a3 wrong'])
})

await t.test('it is held against who left as soon as it was hashed, too', async t => {
  const lab = new Lab({ atOnce: 1 })
  const presence = createPresence()
  void lab.ask({ name: 'a1', presence })
  await turn()
  presence.leave()
  await lab.end('a1')
  void lab.ask({ name: 'x', from: '192.0.2.7' })
  void lab.ask({ name: 'a2' })
  void lab.ask({ name: 'b1', from: '192.0.2.2' })
  await lab.end('x')
  t.strictSame(lab.begun, ['a1', 'x', 'b1'])
})

await t.test('who goes is out at once, and what they alone waited for is not hashed', async t => {
  const lab = new Lab({ atOnce: 1 })
  const [one, two, three] = [createPresence(), createPresence(), createPresence()]
  void lab.ask({ name: 'first' })
  void lab.ask({ name: 'alone', presence: one })
  void lab.ask({ name: 'both', presence: one })
  void lab.ask({ name: 'both', presence: two })
  void lab.ask({ name: 'last', presence: three })
  one.leave()
  await turn()
  t.strictSame(lab.told, ['alone gone', 'both gone'])
  await lab.end('first')
  t.strictSame(lab.begun, ['first', 'both'])
  two.leave()
  three.leave()
  await turn()
  await lab.end('both')
  t.strictSame(lab.begun, ['first', 'both'])
  t.strictSame(lab.told, ['alone gone', 'both gone', 'first wrong', 'both gone', 'last gone'])
  t.equal(await lab.ask({ name: 'late', presence: one }), 'gone')
  const after = lab.ask({ name: 'after' })
  await lab.end('after', true)
  t.equal(await after, 'right', 'and it goes on')
})

await t.test('of one account from one address few passwords wait, and another address may ask for it', async t => {
  const lab = new Lab({ ofPair: 2 })
  for (const name of ['1', '2', '3', '4']) void lab.ask({ name })
  t.equal(await lab.ask({ name: '5' }), 'refused')
  t.match(lab.standing(), { length: 2, waited: 0, refused: 1 }, 'and that is said of the queue')
  for (const ask of [{ name: '1' }, { name: '4' }, { name: '5', account: 'bob' }, { name: '5', from: '192.0.2.2' }]) void lab.ask(ask)
  await turn()
  t.strictSame(lab.told, ['5 refused'])
  t.strictSame(lab.begun, ['1', '2'])
  await lab.end('1')
  await lab.end('2')
  t.strictSame(lab.begun, ['1', '2', '5', '3'], 'the address that brought no wrong one was next')
})

await t.test('when all is full, those who have most lose one to who is new', async t => {
  const lab = new Lab({ total: 6, ofOrigin: 4 })
  for (let i = 0; i < 6; i++) void lab.ask({ name: `a${i}`, account: `user${i}` }) // two of them are hashed
  t.equal(await lab.ask({ name: 'a6', account: 'user6' }), 'refused', 'of one address')
  for (const name of ['b0', 'b1']) void lab.ask({ name, from: '192.0.2.2' })
  void lab.ask({ name: 'c', from: '192.0.2.3' })
  await turn()
  t.equal(lab.told[1], 'a5 refused', 'whose turn was the farthest')
  for (const name of ['a0', 'a1']) await lab.end(name)
  t.strictSame(lab.begun, ['a0', 'a1', 'b0', 'c'])
})

await t.test('who asks for what is hashed already joins it, as long as there is room', async t => {
  const lab = new Lab({ total: 3 })
  const asked = Array.from({ length: 4 }, async () => await lab.ask({ name: 'x' }))
  t.equal(await asked[3], 'refused')
  await lab.end('x', true)
  t.strictSame(await Promise.all(asked), ['right', 'right', 'right', 'refused'])
})

await t.test('nothing of a flood stays: everything is as before when it is over', async t => {
  const lab = new Lab({ total: 10 })
  const presences = Array.from({ length: 1_000 }, () => createPresence())
  const all = presences.map(async (presence, i) => await lab.ask({ name: `x${i}`, account: `user${i}`, from: `192.0.${i % 200}.1`, presence }))
  await turn()
  for (const presence of presences) presence.leave()
  t.strictSame(new Set(await Promise.all(all)), new Set(['refused', 'gone']))
  for (const name of lab.begun) await lab.end(name)
  t.equal(lab.begun.length, 2)
  for (let i = 0; i < 10; i++) void lab.ask({ name: `y${i}`, account: `user${i}` })
  await turn()
  t.equal(lab.told.length, 1_000, 'there is room for ten')
  t.strictSame(lab.begun.slice(2), ['y0', 'y1'])
})

await t.test('a hash that fails is told to all who asked, and is not held against them', async t => {
  const settled: string[] = []
  const lab = new Lab({ atOnce: 1 }, ticketed(settled))
  const error = new Error('out of memory')
  const asked = Promise.allSettled([lab.ask({ name: 'x' }), lab.ask({ name: 'x', from: '192.0.2.2' })])
  const next = lab.ask({ name: 'y' })
  await turn()
  await lab.fail('x', error)
  t.strictSame(await asked, Array(2).fill({ status: 'rejected', reason: error }))
  await lab.end('y', true)
  t.equal(await next, 'right')
  t.strictSame(settled, ['192.0.2.1 x failed', '192.0.2.1 y right'], 'and the one that it was counted for has it back')
})

await t.test('whose turn it is may have failed too often by then, and what several addresses sent is hashed for one that has not', async t => {
  const over = new Set<string>()
  const settled: string[] = []
  const own = ticketed(settled)
  const limits: LoginLimits = {
    ...own,
    admit: async ({ origin }) => over.has(origin) ? { ok: false, seconds: 20 } : { ok: true },
    begin: async login => over.has(login.origin) ? { ok: false, seconds: 30 } : await own.begin(login),
    letIn: async ({ origin, proof }) => { settled.push(`let in ${origin} ${proof}`) }
  }
  const lab = new Lab({ atOnce: 1 }, limits)
  const first = lab.ask({ name: 'first', from: '192.0.2.9' })
  const asked = [lab.ask({ name: 'own' }), lab.ask({ name: 'same' }), lab.ask({ name: 'same', from: '192.0.2.2' })]
  await turn()
  over.add('192.0.2.1')
  await lab.end('first')
  await lab.end('same', true)
  t.equal(await first, 'wrong')
  t.strictSame(await Promise.all(asked), [{ again: 30 }, 'right', 'right'])
  t.strictSame(lab.begun, ['first', 'same'])
  t.strictSame(settled, ['192.0.2.9 first wrong', '192.0.2.2 same right', 'let in 192.0.2.1 same'], 'it counts for the one that had it')
  t.strictSame(await lab.ask({ name: 'late' }), { again: 20 }, 'and who comes then does not wait')
})

await t.test('who comes from elsewhere when none of those before may have it hashed is told nothing of theirs', async t => {
  for (let ticks = 0; ticks < 60; ticks++) {
    const lab = new Lab({}, { ...UNLIMITED, begin: async ({ origin }) => origin === '192.0.2.2' ? { ok: true, ticket: 1 } : { ok: false, seconds: 30 } })
    const first = lab.ask({ name: 'x' })
    for (let i = 0; i < ticks; i++) await Promise.resolve()
    const other = lab.ask({ name: 'x', from: '192.0.2.2' })
    await lab.end('x', true)
    t.equal(await other, 'right', `${ticks}`)
    await first
  }
})

await t.test('who comes with the same from elsewhere, while it is waited for whether it may be hashed, is asked for too', async t => {
  let decide!: () => void
  const decided = new Promise<void>(resolve => { decide = resolve })
  const limits: LoginLimits = {
    ...UNLIMITED,
    async begin ({ origin }) {
      if (origin === '192.0.2.2') return { ok: true, ticket: 1 }
      await decided
      return { ok: false, seconds: 30 }
    }
  }
  const lab = new Lab({}, limits)
  const asked = [lab.ask({ name: 'x' })]
  await turn()
  asked.push(lab.ask({ name: 'x', from: '192.0.2.2' }))
  await turn()
  decide()
  await lab.end('x', true)
  t.strictSame(await Promise.all(asked), ['right', 'right'])
})
