// A queue stands still when somebody waits and nothing is begun or ended, as often as it is looked at.
import t from 'tap'
import type { Watched } from '../../src/lib/watched.ts'
import { createPulse, type Pulse } from '../../src/lib/pulse.ts'
import { createThreads } from '../../src/lib/threads.ts'
import { manualBeats } from '../helpers/channels.ts'

type State = { waiting: number, moves: number }

function queueOf (name: string, bound: number, state: State): Watched {
  return { name, bound, waiting: () => state.waiting, moves: () => state.moves }
}

function lab (): { pulse: Pulse, beat: (times?: number) => void, count: () => number } {
  const beats = manualBeats()
  const pulse = createPulse(beats.every, createThreads(beats.every, () => 0, () => {}))
  return { pulse, beat (times = 1) { for (let i = 0; i < times; i++) beats.beat() }, count: beats.count }
}

await t.test('who waits while something moves is only slow, and where nobody waits nothing has to move', t => {
  const { pulse, beat } = lab()
  const [slow, idle] = [{ waiting: 9, moves: 0 }, { waiting: 0, moves: 7 }]
  pulse.watch(queueOf('slow', 3, slow))
  pulse.watch(queueOf('idle', 3, idle))
  for (let i = 0; i < 9; i++) {
    beat(2)
    slow.moves++
  }
  t.equal(pulse.stuck(), undefined)
  t.end()
})

await t.test('who waits while nothing moves is stuck after the bound, and no more when it moves again', t => {
  const { pulse, beat } = lab()
  const state = { waiting: 0, moves: 5 }
  pulse.watch(queueOf('the tests', 3, state))
  beat(5)
  state.waiting = 1
  beat(2)
  t.equal(pulse.stuck(), undefined)
  beat()
  t.equal(pulse.stuck(), 'the tests have not moved for 3 s')
  beat()
  t.equal(pulse.stuck(), 'the tests have not moved for 4 s')
  state.moves++
  beat()
  t.equal(pulse.stuck(), undefined)
  t.end()
})

await t.test('the threads of the process are looked at always', t => {
  const { pulse, beat, count } = lab()
  beat(19)
  t.equal(pulse.stuck(), undefined)
  beat()
  t.equal(pulse.stuck(), 'the threads for files and passwords have not moved for 20 s')
  t.equal(pulse.threads.waiting(), 1)
  pulse.close()
  t.equal(count(), 0)
  t.end()
})
