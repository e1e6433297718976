// Every scenario, in the order in which they run.
import type { Scenario } from '../scenario.ts'
import { chartLarge } from './chart-large.ts'
import { chartSmall } from './chart-small.ts'
import { freshness } from './freshness.ts'
import { indexBasic } from './index-basic.ts'
import { indexBearer } from './index-bearer.ts'
import { indexLarge } from './index-large.ts'
import { indexManyTokens } from './index-many-tokens.ts'
import { latencyScenario } from './latency.ts'
import { ociPull } from './oci-pull.ts'
import { ociPush } from './oci-push.ts'
import { policy } from './policy.ts'
import { repository } from './repository.ts'
import { startAndMemory } from './start-and-memory.ts'
import { tokenIssuance } from './token-issuance.ts'
import { uploadLarge } from './upload-large.ts'
import { workers } from './workers.ts'
import { wrongPasswords } from './wrong-passwords.ts'

export const SCENARIOS: readonly Scenario[] = [
  indexBearer, indexBasic, indexManyTokens, indexLarge,
  chartSmall, chartLarge, uploadLarge, ociPull, ociPush,
  latencyScenario, tokenIssuance, workers, wrongPasswords,
  startAndMemory, freshness, policy, repository
]
