// Whose jobs have an identity now: opened, read again, and taken along to another process.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Config } from '../../src/config/schema.ts'
import { federationData, federationOfData, federationPart, openLiveFederation } from '../../src/live/live-federation.ts'
import type { Publisher } from '../../src/live/live-keys.ts'
import type { Look } from '../../src/live/part.ts'
import { testConfig } from '../helpers/app.ts'
import { GITHUB, keySet, KUBERNETES, ruleFor } from '../helpers/federation.ts'
import { testFolder } from '../helpers/folder.ts'
import { keyNamed } from '../helpers/keys.ts'

const LOG = { info () {}, warn () {}, error () {} }

function configWith (federation: Config['federation']): Config {
  return { ...testConfig('/nowhere', undefined), federation }
}

function look (config: Config): Look {
  return { config } as unknown as Look
}

await t.test('a start needs every key set, and says of each what is wrong', async t => {
  const jwksFile = join(testFolder(t), 'cluster.json')
  const config = configWith({ providers: [{ ...KUBERNETES, jwksFile }], rules: [ruleFor(KUBERNETES)] })
  t.match(await openLiveFederation(config), { ok: false, mistakes: [/^federation.providers\[0\]: .* cannot be read/] })
  await writeFile(jwksFile, keySet(await keyNamed('platform')))
  const opened = await openLiveFederation(config)
  if (!opened.ok) throw new Error(opened.mistakes.join())
  t.strictSame([...opened.opened.stamps.keys()], [jwksFile])
  t.equal(opened.opened.live.current.rules.size, 1)
  const data = JSON.parse(JSON.stringify(federationData(opened.opened.live.current))) as ReturnType<typeof federationData>
  const arrived = await federationOfData(data)
  t.strictSame([...arrived.rules.keys()], [...opened.opened.live.current.rules.keys()])
  t.strictSame(arrived.providers[0]?.keys().map(({ thumbprint }) => thumbprint), opened.opened.live.current.providers[0]?.keys().map(({ thumbprint }) => thumbprint))
})

await t.test('what comes from a URL is fetched where it is new, and left where it is gone', async t => {
  const jwksFile = join(testFolder(t), 'cluster.json')
  await writeFile(jwksFile, keySet(await keyNamed('platform')))
  const file = { ...KUBERNETES, jwksFile }
  const opened = await openLiveFederation(configWith({ providers: [GITHUB, file], rules: [ruleFor(GITHUB)] }))
  if (!opened.ok) throw new Error(opened.mistakes.join())
  const { live } = opened.opened
  t.strictSame((await federationOfData(federationData(live.current))).providers.map(({ keys, remote }) => [keys().length, remote !== undefined]), [[0, true], [1, false]])
  const begun: string[][] = []
  const part = federationPart(live, (publishers: readonly Publisher[]) => { begun.push(publishers.filter(({ remote }) => remote !== undefined).map(({ config: { name } }) => name)) })
  t.strictSame(await part.files(configWith({ providers: [GITHUB, file], rules: [] })), [jwksFile])
  const closed: string[] = []
  for (const { config: { name }, remote } of live.current.providers) if (remote !== undefined) remote.close = () => { closed.push(name) }
  const next = { ...GITHUB, name: 'next', issuer: 'https://next.example' }
  t.strictSame(await part.load(look(configWith({ providers: [GITHUB, next, file], rules: [] })), LOG), { changed: [], mistakes: [], again: false })
  t.strictSame([begun, closed, live.current.rules.size], [[['next']], [], 0])
  await part.load(look(configWith({ providers: [next], rules: [] })), LOG)
  t.strictSame([begun, closed], [[['next'], []], ['github']])
})

await t.test('what a rule takes away counts also while a key set cannot be read', async t => {
  const jwksFile = join(testFolder(t), 'cluster.json')
  await writeFile(jwksFile, keySet(await keyNamed('platform')))
  const providers = [GITHUB, { ...KUBERNETES, jwksFile }]
  const opened = await openLiveFederation(configWith({ providers, rules: [ruleFor(GITHUB)] }))
  if (!opened.ok) throw new Error(opened.mistakes.join())
  const { live } = opened.opened
  await writeFile(jwksFile, '{')
  const outcome = await federationPart(live, () => {}).load(look(configWith({ providers, rules: [] })), LOG)
  t.match(outcome, { mistakes: [/cluster.json cannot be used: it is not JSON$/], again: true })
  t.equal(live.current.rules.size, 0)
  t.equal(live.current.providers[1]?.keys().length, 1, 'and its keys stay')
})
