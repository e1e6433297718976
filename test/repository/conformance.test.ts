// Does the repository answer as ChartMuseum did? Every recorded exchange is sent again,
// in order, to the embedded repository, and to a real ChartMuseum when there is one, so
// that neither the recordings nor the repository drift away.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { findChartMuseum, startChartMuseum, startEmbedded, type Running, type ServerFlags } from './servers.ts'
import { DIFFERENCES, type Recorded } from './differences.ts'
import { RECORDINGS, SEEDS, fixture, mint, exchange, recordedAnswer, sameEverywhere, send, type Recording } from './recordings.ts'

import type { Test } from 'tap'
import { testFolder } from '../helpers/folder.ts'

const RECORDED = DIFFERENCES.flatMap(({ shownBy }): Recorded[] => 'ids' in shownBy ? [shownBy] : [])

type Start = (t: Test, storage: string, flags: ServerFlags) => Promise<Running>

function flagsOf (server: string): ServerFlags {
  const depth = /depth-dynamic/.test(server) ? 'dynamic' : Number(/depth (\d)/.exec(server)?.[1])
  return {
    depth,
    auth: server.startsWith('bearer'),
    contextPath: /--context-path=(\S+)/.exec(server)?.[1] ?? '',
    maxUploadSize: Number(/--max-upload-size=(\d+)/.exec(server)?.[1] ?? 20 * 1024 * 1024),
    allowOverwrite: server.includes('--allow-overwrite')
  }
}

function seed (storage: string, depth: ServerFlags['depth']): void {
  for (const name of SEEDS) {
    if (depth === 0 && name !== 'org1/repo1/mychart-0.1.0.tgz') continue
    const path = join(storage, depth === 0 ? 'mychart-0.1.0.tgz' : name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, fixture(name))
  }
}

/** The recorder emptied or filled the place of an upload between two exchanges. */
async function prepare (port: number, storage: string, { id, request, response }: Recording): Promise<void> {
  const headers = { Authorization: `Bearer ${mint(['pull', 'push'])}` }
  const isNew = request.method === 'POST' && response.statusLine.includes('201') && !request.target.includes('?force')
  if ((isNew && !id.startsWith('upload/overwrite-allowed/again')) || id === 'upload/multipart/good-chart-bad-prov') {
    for (const target of ['/api/org1/repo1/charts/mychart/0.2.0', '/api/org1/repo1/charts/mychart/0.3.0']) await exchange(port, 'DELETE', target, headers)
    for (const file of ['mychart-0.2.0.tgz', 'mychart-0.2.0.tgz.prov']) rmSync(join(storage, 'org1/repo1', file), { force: true })
  }
  if (id === 'delete/ok') {
    await exchange(port, 'POST', '/api/org1/repo1/charts', headers, fixture('upload/mychart-0.2.0.tgz'))
    await exchange(port, 'POST', '/api/org1/repo1/prov', headers, fixture('upload-signed/mychart-0.2.0.tgz.prov'))
  }
}

async function replay (t: Test, start: Start, differs: boolean): Promise<void> {
  for (const server of new Set(RECORDINGS.map(recording => recording.server))) {
    await t.test(server, async t => {
      const storage = testFolder(t)
      const flags = flagsOf(server)
      seed(storage, flags.depth)
      const { port } = await start(t, storage, flags)
      for (const recording of RECORDINGS.filter(each => each.server === server)) {
        if (flags.auth) await prepare(port, storage, recording)
        const expected = recordedAnswer(recording)
        const { status, contentType, challenge, body, sha256, length } = await send(port, recording)
        const got = { status, contentType, challenge, body: expected.sha256 === undefined ? sameEverywhere(body, storage) : '', sha256: expected.sha256 === undefined ? undefined : sha256 }
        const difference = differs ? RECORDED.find(({ ids }) => ids.test(recording.id))?.expect : undefined
        if (difference?.lengthOfGet === true) {
          const whole = await send(port, recording, 'GET')
          t.strictSame({ contentType, length, status }, { contentType: whole.contentType, length: whole.length, status: difference.status ?? expected.status }, recording.id)
          continue
        }
        const { challenge: noChallenge, contentType: type = expected.contentType, ...rest } = difference ?? {}
        t.strictSame(got, { ...expected, ...rest, contentType: type ?? undefined, ...(noChallenge === null ? { challenge: undefined, sha256: undefined } : {}) }, recording.id)
      }
    })
  }
}

void t.test('the embedded repository answers as recorded, but for the differences', async t => {
  await replay(t, startEmbedded, true)
  const ids = RECORDINGS.map(({ id }) => id)
  for (const { ids: pattern } of RECORDED) t.ok(ids.some(id => pattern.test(id)), `a recording shows it: ${pattern}`)
})

const chartMuseum = findChartMuseum()
void t.test('a real ChartMuseum answers as recorded', { skip: chartMuseum === undefined ? 'no chartmuseum on PATH or in CHARTMUSEUM' : false }, async t => {
  await replay(t, startChartMuseum, false)
})
