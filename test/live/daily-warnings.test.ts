import t from 'tap'
import { warnDaily } from '../../src/live/daily-warnings.ts'
import { authorityOf } from '../../src/live/authority.ts'
import { robot } from '../helpers/accounts.ts'
import { testConfig } from '../helpers/app.ts'
import { createFederation, NO_FEDERATION } from '../../src/identity/federation/providers.ts'
import { createLive } from '../../src/lib/live.ts'
import { GITHUB } from '../helpers/federation.ts'
import { until } from '../helpers/until.ts'
import type { LiveKeys } from '../../src/live/live-keys.ts'

await t.test('warnings are said at the start, and each day anew as they are then', async t => {
  const expires = Date.UTC(2030, 0, 31) / 1000
  const config = testConfig('/nowhere', undefined)
  const loaded = await authorityOf(config, { users: [], robots: [robot('ci', { digest: 'd', expires })] })
  if (!loaded.ok) throw new Error(loaded.mistakes.join())
  const said: unknown[] = []
  let [now, ended] = [expires - 15 * 86_400, false]
  const keys = { current: { issuers: [] } } as unknown as LiveKeys
  const federation = createLive(NO_FEDERATION)
  let day = (): void => {}
  const end = warnDaily({
    settings: { current: config },
    authority: { live: createLive(loaded.authority), stamps: new Map(), warnings: ['of the start'] },
    keys,
    federation,
    tls: { parts: [] },
    log: { warn: (fields, message) => { said.push([fields, message]) } },
    every: (ms, run) => {
      t.equal(ms, 86_400_000)
      day = run
      return () => { ended = true }
    },
    now: () => now
  })
  day()
  now += 86_400
  keys.current = { ...keys.current, issuers: [{ config: { name: 'corp', jwksUrl: 'https://corp.example/keys' }, keys: () => [] }] }
  federation.current = createFederation({ providers: [GITHUB], rules: [] }, [{ keys: () => [] }])
  day()
  await until(() => said.length === 4 ? true : undefined)
  t.match(said, [
    [{ warning: 'of the start' }, 'this may not be as it was meant'],
    [{ warning: /a secret of the robot ci ends at 2030-01-31T00:00:00Z: give the robot a new one beside it$/ }, 'this may not be as it was meant'],
    [{ warning: 'tokens.issuers[0]: no key that verifies is to be had of corp now, at "https://corp.example/keys"' }, 'this may not be as it was meant'],
    [{ warning: 'federation.providers[0]: no key that verifies is to be had of github now, at "https://token.actions.githubusercontent.com"' }, 'this may not be as it was meant']
  ])
  end()
  t.equal(ended, true)
})
