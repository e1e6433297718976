// An index that says where a chart is, in every form that some reader understands: what
// regression 28 asks the gateway for, and real Helm with it.
export const TENANT = 'org1/repo1'
export const FILE = 'a-1.0.0.tgz'

/** An index as ChartMuseum writes it, with this between the keys of its one version. */
const block = (keys: string): string => `apiVersion: v1\nentries:\n  a:\n  - apiVersion: v2\n    name: a\n${keys}    version: 1.0.0\ngenerated: "2026-11-23T23:27:29Z"\nserverInfo: {}\n`
const version = (urls: string): string => `{"apiVersion":"v2","name":"a","version":"1.0.0",${urls}}`

/** Ways to write one URL into an index: YAML in ChartMuseum's form, in any other, and JSON. */
export function forms (url: string): Readonly<Record<string, string>> {
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
