// So many rules and robots: how long it takes to read them, what they take, and what they
// cost each request.
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mebibytesOf } from '../../lab/usage.ts'
import { get } from '../../load/answer.ts'
import { cpuOfEach, startBefore, startIndexServer } from '../common.ts'
import type { ScaleQuestion } from '../question.ts'

const SECONDS = 2
/** Milliseconds. */
const START_LIMIT = 120_000
/** Nobody's; the digest of something that was never a secret. */
const DIGEST = createHash('sha256').update('benchmark').digest('hex')

export const rules: ScaleQuestion = {
  name: 'rules',
  title: 'So many rules and as many robots',
  of: 'rules and robots',
  sizes: [10, 100, 1_000, 10_000, 100_000],
  measures: [
    { name: 'start', unit: 's', of: 'whole' },
    { name: 'memory', unit: 'MiB', of: 'whole' },
    { name: 'CPU', unit: 'µs', of: 'each' }
  ],
  words: 'The start is to the first answer, with both files read. Memory is what the process has then, of which some 80 MiB are anybody\'s. CPU is of a small index with a token, 32 connections, `maxAge: 1s`.',
  async measure (lab, size) {
    const accounts = join(await lab.folder(), 'robots.yaml')
    await writeFile(accounts, `robots:\n${lines(size, i => `- { name: robot${i}, groups: [group${i % 100}], secrets: [{ hash: "sha256:${secretOf(i)}" }] }`)}`, { mode: 0o600 })
    const gateway = await startBefore(lab, await startIndexServer(lab), {
      maxAge: '1s',
      limit: START_LIMIT,
      besides: { policy: undefined, accounts: { files: [accounts] } },
      lines: `policy:\n${lines(size, i => `- { repositories: [org${i}/repo${i % 50}], subjects: ["robot:robot${i}"], actions: [pull] }`)}`
    })
    const memory = await mebibytesOf(gateway.program.pid)
    const authorization = `Bearer ${gateway.masterKey}`
    if ((await get(`${gateway.origin}/org1/v1/index.yaml`, { authorization })).status !== 200) throw new Error('the master key is refused')
    const { each } = await cpuOfEach(lab, gateway, { path: '/org1/v1/index.yaml', headers: { authorization }, connections: 32, seconds: SECONDS })
    return [gateway.program.startedIn / 1000, memory, each]
  }
}

function lines (count: number, line: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => `${line(i)}\n`).join('')
}

/** Another one for each. */
function secretOf (i: number): string {
  return i.toString(16).padStart(8, '0') + DIGEST.slice(8)
}
