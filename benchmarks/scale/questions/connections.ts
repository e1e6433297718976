// So many connections: open and silent, and then all of them asking again as soon as they are
// answered. Beside the gateway Node's own server is asked in the same way, so that it can be told
// what is whose.
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT, freePorts } from '../../../test/helpers/processes.ts'
import type { Lab } from '../../lab/lab.ts'
import { forgetMost, mebibytesOf } from '../../lab/usage.ts'
import { get } from '../../load/answer.ts'
import { cpuOfEach, startBefore, startIndexServer, type Asked } from '../common.ts'
import type { ScaleQuestion } from '../question.ts'

/** A turn begins with opening them all, which a longer one has not more of. */
const [SHORT, LONG] = [3, 8]
/** Of them are opened at once. */
const AT_ONCE = 100
const LIMITS = { maxConnections: 10_000, maxConnectionsPerAddress: 10_000 }
const PATH = '/org1/v1/index.yaml'
/** As many as others are measured with, and enough for the collector to have taken its room. */
const WARM = { connections: 32, seconds: 2 }

export const connections: ScaleQuestion = {
  name: 'connections',
  title: 'So many connections at once',
  of: 'connections',
  sizes: [1, 10, 100, 1_000, 2_500, 5_000],
  measures: [
    { name: 'answers', unit: '/s', of: 'each' },
    { name: 'CPU', unit: 'µs', of: 'each' },
    { name: 'CPU of plain Node', unit: 'µs', of: 'each' },
    { name: 'memory, silent', unit: 'MiB', of: 'whole' },
    { name: 'of plain Node', unit: 'MiB', of: 'whole' },
    { name: 'memory at most', unit: 'MiB', of: 'whole' },
    { name: 'at most of plain Node', unit: 'MiB', of: 'whole' }
  ],
  words: 'A small index with a token, `maxAge: 1s`, `listen.maxConnections` above the default; the load generator has the other core. Plain Node is its own HTTP server with the same bounds of time, which answers as many bytes and asks nothing. CPU and answers are what a turn of eight seconds has more than one of three: to open connections is not in it. Memory is above what the process had before, after two seconds with 32 connections: silent, when each has asked once and none asks any more; and at most, while all ask.',
  async measure (lab, size) {
    const gateway = await startBefore(lab, await startIndexServer(lab), { maxAge: '1s', listen: LIMITS })
    const headers = { authorization: await gateway.authorization('org1/v1') as string }
    const plain = await startPlain(lab, (await get(gateway.origin + PATH, headers)).body.length)
    const ours = await measureOne(lab, gateway, headers, size)
    const nodes = await measureOne(lab, plain, headers, size)
    return [ours.perSecond, ours.each, nodes.each, ours.silent, nodes.silent, ours.most, nodes.most]
  }
}

async function startPlain (lab: Lab, bytes: number): Promise<Asked> {
  const [port] = await freePorts(1) as [number]
  const origin = `http://127.0.0.1:${port}`
  const program = await lab.start([...lab.cores.pin('tested'), process.execPath, join(ROOT, 'dist/benchmarks/drivers/plain-server.js')], { readyUrl: origin, env: { BENCH_TASK: JSON.stringify({ port, bytes }) } })
  return { origin, program }
}

interface Measured { readonly perSecond: number, readonly each: number, readonly silent: number, readonly most: number }

async function measureOne (lab: Lab, asked: Asked, headers: Readonly<Record<string, string>>, size: number): Promise<Measured> {
  const { pid } = asked.program
  const drive = { path: PATH, headers, connections: size }
  await cpuOfEach(lab, asked, { ...drive, ...WARM })
  await sleep(1_000)
  const before = await mebibytesOf(pid)
  const open: Agent[] = []
  while (open.length < size) {
    const some = Array.from({ length: Math.min(AT_ONCE, size - open.length) }, async () => await askOnce(asked.origin + PATH, headers))
    open.push(...await Promise.all(some))
  }
  await sleep(1_000)
  const silent = await mebibytesOf(pid) - before
  for (const each of open) each.destroy()
  await sleep(1_000) // that they end is no part of the next turn
  await forgetMost(pid)
  const short = await cpuOfEach(lab, asked, { ...drive, seconds: SHORT })
  const long = await cpuOfEach(lab, asked, { ...drive, seconds: LONG })
  const requests = long.load.requests - short.load.requests
  return {
    perSecond: requests / (long.load.seconds - short.load.seconds),
    each: (long.each * long.load.requests - short.each * short.load.requests) / requests,
    silent,
    most: await mebibytesOf(pid, 'VmHWM') - before
  }
}

/** Over a connection of its own, which stays. */
async function askOnce (url: string, headers: Readonly<Record<string, string>>): Promise<Agent> {
  const agent = new Agent({ keepAlive: true })
  await new Promise((resolve, reject) => {
    request(url, { agent, headers }, answer => { answer.resume().once('end', resolve) }).once('error', reject).end()
  })
  return agent
}
