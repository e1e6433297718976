// Class 28: an index that sends clients, and their credentials, to another host. Helm
// GHSA-56hp-xqp3-w2jf (helm#9868: the password of a repository went with the request to
// whatever host its index named). The upstream is trusted with charts and not with where
// clients go: every URL of an index comes out relative, or its entry is left out, or the
// index is a 502, in whatever form it is written. Helm, where there is one, is the judge
// of what was meant.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { helmVersions, runHelm } from '../helpers/helm.ts'
import { notTried } from '../helpers/not-tried.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { startTeam, type Team } from '../helpers/team.ts'
import { inShort } from '../helpers/in-short.ts'

const TENANT = 'org1/repo1'
const FILE = 'a-1.0.0.tgz'

/** An index as ChartMuseum writes it, with this between the keys of its one version. */
const block = (keys: string): string => `apiVersion: v1\nentries:\n  a:\n  - apiVersion: v2\n    name: a\n${keys}    version: 1.0.0\ngenerated: "2026-11-23T23:27:29Z"\nserverInfo: {}\n`
const version = (urls: string): string => `{"apiVersion":"v2","name":"a","version":"1.0.0",${urls}}`

/** Ways to write one URL into an index: YAML in ChartMuseum's form, in any other, and JSON. */
function forms (url: string): Readonly<Record<string, string>> {
  const quoted = JSON.stringify(url)
  const ends = Object.fromEntries(['\r', '\u0085', '\u2028', '\u2029'].map(end => [`behind U+${end.charCodeAt(0).toString(16)}`, block(`    home: x${end}    urls:${end}    - ${quoted}\n`)]))
  return {
    'as ChartMuseum would': block(`    urls:\n    - ${quoted}\n`),
    'behind one that is right': block(`    urls:\n    - charts/${FILE}\n    - ${quoted}\n`),
    'in a flow': block(`    urls: [${quoted}]\n`),
    'in a block of text': block(`    urls:\n    - |-\n      ${url.replaceAll('\n', '\n      ')}\n`),
    'as an alias': block(`    icon: &u ${quoted}\n    urls:\n    - *u\n`),
    'with a merge': `apiVersion: v1\nentries:\n  a:\n  - <<: {urls: [${quoted}]}\n    name: a\n    version: 1.0.0\n`,
    'with a key in quotes': block(`    "urls":\n    - ${quoted}\n`),
    'with an escape in the key': block(`    "\\x75rls":\n    - ${quoted}\n`),
    'with a key in capitals': block(`    URLS:\n    - ${quoted}\n`),
    'with a long s in the key': block(`    "url\u017f":\n    - ${quoted}\n`),
    'with a key on its own line': block(`    ? urls\n    : - ${quoted}\n`),
    'with a tag': block(`    urls: !!seq\n    - !!str ${quoted}\n`),
    'with the key twice': block(`    urls:\n    - ${quoted}\n    urls:\n    - charts/${FILE}\n`),
    'in levels of more columns': `apiVersion: v1\nentries:\n  a:\n    - name: a\n      version: 1.0.0\n      urls:\n        - ${quoted}\n`,
    'in a flow that is indented': `apiVersion: v1\nentries:\n  a:\n      [{name: a, version: 1.0.0, urls: [${quoted}]}]\n`,
    'in another order': `entries:\n  a:\n  - urls:\n    - ${quoted}\n    name: a\n    version: 1.0.0\napiVersion: v1\n`,
    'as JSON': `{"apiVersion":"v1","entries":{"a":[${version(`"urls":[${quoted}]`)}]}}`,
    'as JSON with a space in front': ` {"apiVersion":"v1","entries":{"a":[${version(`"urls":[${quoted}]`)}]}}`,
    'as JSON with entries twice': `{"apiVersion":"v1","entries":{"a":[${version(`"urls":[${quoted}]`)}]},"entries":{"b":[]}}`,
    'as JSON with urls twice': `{"apiVersion":"v1","entries":{"a":[${version(`"urls":[${quoted}],"urls":["charts/${FILE}"]`)}]}}`,
    'as JSON with a key in capitals': `{"apiVersion":"v1","entries":{"a":[${version(`"Urls":[${quoted}]`)}]}}`,
    'as JSON with a long s': `{"apiVersion":"v1","entrie\u017f":{"a":[${version(`"urls":[${quoted}]`)}]},"entries":{}}`,
    ...ends
  }
}

/** Where an index might send somebody, to one reader at least. */
const AWAY = (evil: string): readonly string[] => {
  const host = new URL(evil).host
  return [
    `${evil}/${FILE}`, `${evil}/charts/${FILE}`, `//${host}/${FILE}`, `///${host}/${FILE}`, `/\\${host}/${FILE}`, `\\\\${host}\\${FILE}`, `\\/${host}/${FILE}`,
    `http:${host}/${FILE}`, `http:/${host}/${FILE}`, `HTTP://${host}/${FILE}`, ` ${evil}/${FILE}`, `\t${evil}/${FILE}`, `${evil}/${FILE}\n`, `ht\ttp://${host}/${FILE}`, `/\t/${host}/${FILE}`,
    `http://user:secret@${host}/${TENANT}/charts/${FILE}`, `http://charts.example.test@${host}/${TENANT}/charts/${FILE}`, `http://${host}#@charts.example.test/${TENANT}/charts/${FILE}`, `http://${host}?/${TENANT}/charts/${FILE}`,
    `${evil}/${TENANT}/charts/${FILE}?x=/`, `${evil}/${TENANT}/charts/../../../${FILE}`, `${evil}/org2/repo2/charts/${FILE}`, `/org2/repo2/charts/${FILE}`, `../../org2/repo2/charts/${FILE}`, `..%2f..%2forg2/repo2/charts/${FILE}`, `charts/..\\..\\x/${FILE}`,
    `ftp://${host}/${FILE}`, `oci://${host}/${FILE}`, `cm://${host}/${FILE}`, 'file:///etc/passwd', 'javascript:x', 'data:,x', `?x=//${host}`, `#//${host}`
  ]
}

/** Absolute, and of this tenant: what ChartMuseum writes with --chart-url. */
const HOME = (evil: string): readonly string[] => [`${evil}/${TENANT}/charts/${FILE}`, `//${new URL(evil).host}/${TENANT}/charts/${FILE}`, `https://charts.example.test:8443/${TENANT}/charts/${FILE}`, `/${TENANT}/charts/${FILE}`, `charts/${FILE}`]

/** A host that hears of whoever comes to it. */
async function startEvil (t: Test): Promise<{ url: string, heard: string[] }> {
  const heard: string[] = []
  const server = createServer((request, response) => {
    heard.push(`${request.url} ${request.headers.authorization ?? ''}`)
    response.writeHead(404).end()
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard }
}

async function start (t: Test, path: string): Promise<Team & { readonly authorization: string }> {
  const team = await startTeam(t, { config: config => ({ ...config, publicUrl: config.publicUrl + path, basePath: path }) })
  return { ...team, authorization: `Bearer ${team.gateway.masterKey}` }
}

/** The URLs of everything below `entries`, whatever the case of the key. */
function urlsOf (value: unknown, key = ''): string[] {
  if (typeof value === 'string') return /^url[s\u017f]$/i.test(key) ? [value] : []
  if (Array.isArray(value)) return value.flatMap(each => urlsOf(each, key))
  return typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([key, each]) => urlsOf(each, key)) : []
}

for (const path of inShort(['/helm'], ['', '/helm'])) {
  await t.test(`an index leads nowhere else, whatever it says and however it is written${path === '' ? '' : `, below ${path}`}`, async t => {
    const { stub, ask, gateway, authorization } = await start(t, path)
    const evil = 'http://evil.example.test:8080'
    let [refused, leftOut] = [0, 0]
    for (const url of AWAY(evil)) {
      for (const [form, body] of Object.entries(forms(url))) {
        stub.answer = () => ({ body })
        const answer = await ask(`/${TENANT}/index.yaml`, { authorization })
        const shown = `${JSON.stringify(url)}, ${form}`
        t.notMatch(answer.body + JSON.stringify(answer.headers), /evil|passwd|org2|javascript/, shown)
        if (answer.status === 200) {
          const base = `http://gateway.example.test${path}/${TENANT}/`
          t.strictSame(urlsOf(parse(answer.body, { uniqueKeys: false, version: '1.1' })).filter(each => !new URL(each, base).href.startsWith(base)), [], shown)
          if (!answer.body.includes(FILE)) leftOut++
        } else {
          refused++
          t.equal(answer.status, 502, shown)
          t.match(gateway.log.at(-1), { reason: 'upstream_bad_answer', err: String }, 'and the log says why')
        }
      }
    }
    t.ok(refused > 20, `${refused} were refused`)
    t.ok(leftOut > 100, `${leftOut} were left out`)
    for (const url of HOME(evil)) {
      for (const form of ['as ChartMuseum would', 'in a flow', 'in levels of more columns', 'as JSON']) {
        stub.answer = () => ({ body: forms(url)[form] as string })
        const answer = await ask(`/${TENANT}/index.yaml`, { authorization })
        t.strictSame([answer.status, urlsOf(parse(answer.body))], [200, [`charts/${FILE}`]], `${url}, ${form}`)
      }
    }
  })
}

await t.test('Helm itself finds no way to another host in any of them', async t => {
  t.setTimeout(BUILD_LIMIT)
  const helms = await helmVersions()
  if (!helms.ok) return await notTried(t, 'real Helm', helms.reason)
  const [helm] = helms.versions as [typeof helms.versions[number]]
  const { stub, gateway } = await start(t, '')
  const evil = await startEvil(t)
  const home = await temporaryFolder(t)
  const login = ['--username', 'any', '--password', gateway.masterKey, '--pass-credentials']
  const pull = async (repository: string): Promise<void> => { await runHelm(helm, ['pull', 'a', '--repo', repository, '--version', '1.0.0', '-d', join(home, 'charts'), ...login], { home }) }
  let direct = 0
  for (const [form, body] of Object.entries(forms(`${evil.url}/${FILE}`))) {
    stub.answer = ({ target }) => target.endsWith('/index.yaml') ? { body } : { status: 404, body: '{"error":"not found"}' }
    await pull(`${gateway.url}/${TENANT}`)
    t.strictSame(evil.heard.splice(0), [], `${form}, through the gateway`)
    await pull(`${stub.origin}/${TENANT}`)
    if (evil.heard.splice(0).length > 0) direct++
  }
  t.ok(direct > 15, `without it Helm follows ${direct} of them`)
})
