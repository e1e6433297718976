// The file that says what is revoked is read at the start and followed.
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openReader } from '../../src/config/reading.ts'
import { stampsOf } from '../../src/files/files.ts'
import { CLOCK } from '../../src/lib/clock.ts'
import { openRevocations, revocationsFile, revocationsPart } from '../../src/live/live-revocations.ts'
import type { ReloadOutcome } from '../../src/live/part.ts'
import { revocationText } from '../../src/tokens/revocations.ts'
import { testConfig } from '../helpers/app.ts'
import { testFolder } from '../helpers/folder.ts'

const text = (id: string): string => revocationText({ token: id }, CLOCK.wall(), 300)

await t.test('what the file has counts from the start, and what it gets from then on', async t => {
  const config = testConfig(testFolder(t), undefined)
  const file = revocationsFile(config)
  const missing = await openRevocations(config, CLOCK)
  if (!missing.ok) throw new Error(missing.message)
  const { held } = missing.opened
  const part = revocationsPart({ held })
  t.strictSame(await part.files(config), [file])
  const said: unknown[] = []
  const load = async (): Promise<ReloadOutcome> => {
    const reader = openReader()
    const log = { info: (...line: unknown[]) => { said.push(line) }, warn () {}, error () {} }
    return await part.load({ config, sound: true, stamps: await stampsOf([file]), asked: false, reader }, log).finally(() => { reader.close() })
  }
  const sound = { changed: [], mistakes: [], again: false }
  t.strictSame(await load(), sound)
  const [one, two] = [text('a'), text('b')]
  await writeFile(file, `${one}\n${two}\n`)
  t.strictSame(await load(), sound)
  t.strictSame(held.texts(), [one, two])
  t.strictSame(await load(), sound)
  t.strictSame(said, [[{ count: 2 }, 'tokens were revoked']])
  const again = await openRevocations(config, CLOCK)
  t.strictSame(again.ok && again.opened.held.texts(), [one, two])
  await writeFile(file, 'odd\nodder\n')
  t.match(await load(), { mistakes: [/revoked: 2 of its lines are none that chartgate revoke writes, and revoke nothing$/], again: false })
  t.match(await openRevocations(config, CLOCK), { ok: false, message: /2 of its lines/ })
  await rm(file)
  t.strictSame(await load(), sound)
  t.strictSame(held.texts(), [one, two], 'nothing is taken back')
})

await t.test('a file that cannot be read is said, and tried again', async t => {
  const folder = testFolder(t)
  const config = testConfig(join(folder, 'a'), undefined)
  await writeFile(join(folder, 'a'), 'no folder')
  t.match(await openRevocations(config, CLOCK), { ok: false, message: /revoked: the file cannot be read \(ENOTDIR\)/ })
  const reader = openReader()
  t.teardown(() => { reader.close() })
  const { held } = { held: (await openRevocations(testConfig(folder, undefined), CLOCK) as { opened: { held: Parameters<typeof revocationsPart>[0]['held'] } }).opened.held }
  const stamps = await stampsOf([revocationsFile(config)])
  t.match(await revocationsPart({ held }).load({ config, sound: true, stamps, asked: false, reader }, { info () {}, warn () {}, error () {} }), { mistakes: [/ENOTDIR/], again: true })
})
