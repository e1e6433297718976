// The embedded repository alone, with 10,000 versions in one tenant: a start that
// remembers nothing, one that does, pushes, and its memory.
import { runDriver } from '../lab/drivers.ts'
import type { Figure, Scenario } from '../scenario.ts'

export const repository: Scenario = {
  name: 'repository',
  title: 'the embedded repository with 10,000 versions',
  turns: { rounds: 1, warmUp: false },
  goals: [],
  open: async lab => [{
    name: 'the embedded repository',
    turn: async () => (await runDriver<{ figures: Figure[] }>(lab, 'both', 'repository', {})).figures
  }]
}
