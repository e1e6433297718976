// Class 28: an index that sends clients, and their credentials, to another host. Helm
// GHSA-56hp-xqp3-w2jf (helm#9868: the password of a repository went with the request to
// whatever host its index named). The upstream is trusted with charts and not with where
// clients go: every URL of an index comes out relative, or its entry is left out, or the
// index is a 502, in whatever form it is written. What was meant, real Helm says in
// test/clients/links-to-other-hosts.test.ts.
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { FILE, forms, TENANT } from '../helpers/index-forms.ts'
import { inShort } from '../helpers/in-short.ts'
import { startTeam, type Team } from '../helpers/team.ts'

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
