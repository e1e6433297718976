// Workers that have other certificates than their primary are named.
import { join } from 'node:path'
import t from 'tap'
import { tlsOfData, type TlsData } from '../../../src/live/live-tls.ts'
import { createCertificateOffice, sayCertificates } from '../../../src/serve/workers/certificates.ts'
import { readMaterial, type Material } from '../../../src/tls/material.ts'
import { Authority } from '../../helpers/certificates.ts'
import { fakeWorker, manualTimers, settled } from '../../helpers/channels.ts'
import { testFolder } from '../../helpers/folder.ts'

const authority = Authority.make(join(testFolder(t), 'ca'))
const texts = [authority.issue(), authority.issue()].map(({ certText: cert, keyText: key }) => ({ cert, key }))
const materials = texts.map(each => (readMaterial({ files: {} }, each) as { material: Material }).material) as [Material, Material]
const data: TlsData = [{ key: 'listen.tls', files: {}, texts: texts[0] ?? {} }]

await t.test('who has not followed a change is named in one line, and nobody else', async t => {
  const timers = manualTimers()
  const warned: unknown[] = []
  const primary = tlsOfData(data, new Map())
  const office = createCertificateOffice({ tls: primary, log: { warn: (fields, message) => { warned.push({ ...fields, message }) } }, later: timers.later })
  const workers = [11, 12, 13].map(pid => ({ fake: fakeWorker(pid), tls: tlsOfData(data, new Map()) }))
  const swap = (tls: typeof primary): void => { const [part] = tls.parts; if (part !== undefined) part.live.current = materials[1] }
  for (const { fake, tls } of workers) {
    office.join(fake.process)
    if (fake.process.pid !== 13) sayCertificates(fake.own, tls) // one that hangs says nothing
  }
  const [one, two, three] = workers as [typeof workers[0], typeof workers[0], typeof workers[0]]
  swap(primary)
  swap(one.tls)
  one.fake.own.send({ kind: 'joined' })
  await settled()
  t.equal(timers.waiting().length, 1)
  timers.fire()
  t.match(warned, [{ workers: [12, 13], message: /^these workers still have certificates of before: they try again by themselves/ }])
  swap(two.tls)
  office.leave(three.fake.process)
  await settled()
  swap(primary)
  swap(primary)
  t.equal(timers.waiting().length, 1, 'of several changes the last one counts')
  timers.fire()
  t.equal(warned.length, 1)
  swap(primary)
  office.close()
  swap(primary)
  t.strictSame(timers.waiting(), [])
})

await t.test('a worker says what it has as it begins, and with each change', async t => {
  const fake = fakeWorker(1)
  const said: unknown[] = []
  fake.process.receive(message => { said.push(message) })
  const tls = tlsOfData([{ key: 'upstream.tls', files: {}, texts: {} }], new Map())
  sayCertificates(fake.own, tls)
  const [part] = tls.parts
  if (part !== undefined) part.live.current = { ...part.live.current, serverName: 'museum.internal' }
  await settled()
  t.match(said, [{ kind: 'certificates' }, { kind: 'certificates' }])
  t.equal(new Set(said.map(each => JSON.stringify(each))).size, 2, 'another name is another state')
})
