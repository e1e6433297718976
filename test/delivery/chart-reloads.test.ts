// Which changes of the configuration make other pods? Those that a running gateway does not
// follow, by the table of src/config/reloads.ts, and no others.
import t, { type Test } from 'tap'
import { isLive, RELOAD_OF } from '../../src/config/reloads.ts'
import { ConfigSchema } from '../../src/config/schema.ts'
import { leaves } from '../../src/files/nodes.ts'
import { find, manifestsOf, template } from '../helpers/chart.ts'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { helmVersions, type Helm } from '../helpers/helm.ts'
import { notTried } from '../helpers/not-tried.ts'
import { temporaryFolder } from '../helpers/processes.ts'

t.setTimeout(BUILD_LIMIT)
/** Secrets, which the chart refuses in a configuration. */
const SECRETS: readonly string[] = ['masterKey', 'upstream.password', 'redis.password', 'admin.token']
/** Another value than the default, of a form that templates can read. */
const OTHER: Readonly<Record<string, unknown>> = { 'authz.dialect': 'nginx', 'charts.maxUploadSize': '7MiB', 'drain.delay': '7s', stateDir: '/other', publicUrl: 'https://charts.example.com', 'upstream.url': 'http://museum:8080', 'upstream.auth': 'none' }
const PLAIN = { upstream: { url: 'http://a' } }
const ASKED = { ...PLAIN, authz: { listen: { port: 5003 }, trustedProxies: ['10.0.0.0/8'], dialect: 'caddy' } }

const helms = await helmVersions()
if (!helms.ok) await notTried(t, 'which changes make other pods', helms.reason)
else await t.test('what a running gateway follows makes no other pod, and everything else does', async t => { await tryAll(t, helms.versions) })

/** A configuration with one more key. */
function withKey (config: object, [first, ...rest]: readonly string[], value: unknown): object {
  const inside = (config as Record<string, object | undefined>)[first as string]
  return { ...config, [first as string]: rest.length === 0 ? value : withKey(inside ?? {}, rest, value) }
}

async function tryAll (t: Test, versions: readonly Helm[]): Promise<void> {
  const home = await temporaryFolder(t)
  const podOf = async (helm: Helm, config: object): Promise<string> => {
    const made = await template(helm, { config, networkPolicy: { enabled: false } }, { home, args: ['--skip-schema-validation'] })
    t.equal(made.code, 0, JSON.stringify(config), { stderr: made.stderr })
    return find(manifestsOf(made.stdout), 'Deployment', 'chartgate').spec.template.metadata.annotations['checksum/unfollowed']
  }
  const keys = leaves(ConfigSchema).map(({ path, node }) => ({ path, key: path.join('.'), node })).filter(({ key }) => !SECRETS.includes(key))
  t.same(keys.map(({ key }) => key).concat(SECRETS).sort(), Object.keys(RELOAD_OF).sort(), 'each key is looked at')
  const other = ({ key, node }: typeof keys[number]): unknown => OTHER[key] ?? (node.type === 'array' ? ['x'] : node.type === 'integer' ? 7 : node.type === 'boolean' ? node.default !== true : 'x')
  const changed = (config: object, each: typeof keys[number]): object => withKey(config, each.path, other(each))

  const [live, held] = [keys.filter(({ key }) => isLive(key)), keys.filter(({ key }) => !isLive(key))]
  for (const helm of versions) {
    const [plain, asked] = [await podOf(helm, PLAIN), await podOf(helm, ASKED)]
    t.equal(await podOf(helm, live.reduce(changed, PLAIN)), plain, `${helm.name}: all that is followed, at once`)
    for (const each of held) {
      const [config, before] = each.path[0] === 'authz' ? [ASKED, asked] : [PLAIN, plain]
      t.not(await podOf(helm, changed(config, each)), before, `${helm.name}: ${each.key}`)
    }
  }
}
