// What does it cost to know who asks and what they may? The engine alone, without HTTP,
// among 10,000 rules and 1,000 accounts.
import { runDriver } from '../lab/drivers.ts'
import type { Figure, Scenario } from '../scenario.ts'

const KNOWN = 'a wrong password, known user'
const UNKNOWN = 'a wrong password, unknown user'

export const policy: Scenario = {
  name: 'policy',
  title: 'a decision among 10,000 rules and 1,000 accounts',
  turns: { rounds: 3, warmUp: false },
  goals: [
    { measured: 'a decision, second million', unit: 'µs', at: 'most', bound: 2 },
    // Who guesses names must not learn from the time which there are.
    { measured: UNKNOWN, against: KNOWN, unit: '×', at: 'least', bound: 0.9 },
    { measured: UNKNOWN, against: KNOWN, unit: '×', at: 'most', bound: 1.1 }
  ],
  open: async lab => [{
    name: 'the policy engine',
    turn: async () => (await runDriver<{ figures: Figure[] }>(lab, 'tested', 'policy', {})).figures
  }]
}
