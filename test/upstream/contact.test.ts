// When is the chart repository asked whether it is there? At the start, after a request
// that failed, and again and again while something is wrong.
import t from 'tap'
import { LONGEST_PAUSE, watchContact, type ContactWatch } from '../../src/upstream/contact.ts'
import type { Contact } from '../../src/upstream/first-contact.ts'
import { settled } from '../helpers/channels.ts'

const GOOD: Contact = { ok: true }
const BAD: Contact = { ok: false, trouble: 'unreachable', sentence: 'away' }

interface Lab {
  readonly watch: ContactWatch
  readonly reports: (string | undefined)[]
  readonly pauses: number[]
  /** How often it was asked. */
  readonly asked: () => number
  /** What it says from now on. */
  now: Contact | Promise<Contact>
  /** Lets the pause end. */
  pass (): Promise<void>
}

async function lab (first: Contact | Promise<Contact>, always?: true): Promise<Lab> {
  const reports: (string | undefined)[] = []
  const pauses: number[] = []
  let asked = 0
  let run: (() => void) | undefined
  const each: Omit<Lab, 'watch'> = {
    reports,
    pauses,
    asked: () => asked,
    now: first,
    async pass () {
      const due = run
      run = undefined
      due?.()
      await settled()
    }
  }
  const watch = watchContact({
    ...(always === undefined ? {} : { always }),
    contact: async () => { asked++; return await each.now },
    outages: { report: sentence => { reports.push(sentence) } },
    later: (ms, then) => {
      pauses.push(ms)
      run = then
      return () => { run = undefined }
    }
  })
  await settled()
  return Object.assign(each, { watch })
}

await t.test('while something is wrong it is asked again, each time after a longer pause, and no more when it is good', async t => {
  const each = await lab(BAD)
  for (let i = 0; i < 7; i++) await each.pass()
  t.strictSame(each.pauses, [1, 2, 4, 8, 16, 30, 30, 30].map(seconds => seconds * 1000))
  t.equal(each.pauses.at(-1), LONGEST_PAUSE)
  each.now = GOOD
  await each.pass()
  await each.pass()
  await each.pass()
  t.equal(each.asked(), 9)
  t.strictSame(each.reports, [...Array<string>(8).fill('away'), undefined])
  await each.watch.close()
})

await t.test('a request that failed has it asked at once, but no more than once in a second', async t => {
  const each = await lab(GOOD)
  each.watch.hint()
  each.watch.hint()
  t.equal(each.asked(), 1, 'it was asked just now')
  await each.pass()
  t.equal(each.asked(), 2, 'and is when the second is over')
  await each.pass()
  t.equal(each.asked(), 2)
  each.now = BAD
  each.watch.hint()
  await settled()
  t.equal(each.asked(), 3, 'at once, when it was not asked for long')
  t.strictSame(each.reports, [undefined, undefined, 'away'])
  await each.watch.close()
})

await t.test('one that no request goes to is asked again while it is well, too, and sooner when it is not', async t => {
  const each = await lab(GOOD, true)
  await each.pass()
  each.now = BAD
  for (let i = 0; i < 3; i++) await each.pass()
  each.now = GOOD
  await each.pass()
  t.strictSame(each.pauses, [30, 30, 1, 2, 4, 30].map(seconds => seconds * 1000))
  t.strictSame(each.reports, [undefined, undefined, 'away', 'away', 'away', undefined])
  await each.watch.close()
})

await t.test('what fails while it is asked asks for nothing, and after the end nothing is said', async t => {
  let answer = (_contact: Contact): void => {}
  const each = await lab(new Promise(resolve => { answer = resolve }))
  each.watch.hint()
  const closed = each.watch.close()
  answer(BAD)
  await closed
  t.strictSame([each.asked(), each.reports, each.pauses], [1, [], []])
})
