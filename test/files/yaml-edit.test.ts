import t from 'tap'
import { isSeq, type Document } from 'yaml'
import { editYaml } from '../../src/files/yaml-edit.ts'

const disable = (document: Document): void => { document.setIn(['users', 0, 'disabled'], true) }
const add = (document: Document): void => {
  const list = document.get('users', true)
  const node = document.createNode({ name: 'new' })
  if (isSeq(list)) list.add(node)
  else document.set('users', document.createNode([{ name: 'new' }]))
}
const remove = (document: Document): void => { document.deleteIn(['users', 0]) }

await t.test('what the change does not reach stays as it was written', t => {
  const cases: [name: string, before: string, change: (document: Document) => void, after: string][] = [
    [
      'comments, blanks, empty lines and forms of lists',
      '# ours\n\n\nusers:   # all\n  - { name: a,   groups: [x, y] }    # first\n  - {name: b}\n\n\n# robots\nrobots: [ ]\n',
      disable,
      '# ours\n\n\nusers:   # all\n  - { name: a, groups: [x, y], disabled: true } # first\n  - {name: b}\n\n\n# robots\nrobots: [ ]\n'
    ],
    ['empty lines at the end', 'users:\n  - name: a\n\n\n', add, 'users:\n  - name: a\n  - name: new\n\n\n'],
    ['commented entries', 'users:\n  - name: a\n  # - name:   b\n', add, 'users:\n  - name: a\n  - name: new\n  # - name:   b\n'],
    ['lists that are not indented', 'users:\n- name: a\n  x:   1\n- name: b\n', add, 'users:\n- name: a\n  x:   1\n- name: b\n- name: new\n'],
    ['lists that are indented by four', 'users:\n    - name:   a\n', add, 'users:\n    - name:   a\n    - name: new\n'],
    ['line ends of Windows', 'users:\r\n  - name:   a\r\n  - name: b\r\n', disable, 'users:\r\n  - name:   a\r\n    disabled: true\r\n  - name: b\r\n'],
    ['no line end at the end', 'users:\n  - name: a', add, 'users:\n  - name: a\n  - name: new\n'],
    ['what stands behind', 'users:\n  - name: a\n  - name: b # b\nmore:   1\n', remove, 'users:\n  - name: b # b\nmore:   1\n'],
    ['JSON', '{"users": [{"name": "a"}]}\n', add, '{ "users": [{ "name": "a" }, { name: new }] }\n'],
    ['a text in several lines', 'x: "a\n  b"\nusers:\n  - name: a\ny:   1\n', disable, 'x: "a\n  b"\nusers:\n  - name: a\n    disabled: true\ny:   1\n'],
    ['only comments', '# nobody yet\n', add, '# nobody yet\nusers:\n  - name: new\n'],
    ['nothing', '', add, 'users:\n  - name: new\n']
  ]
  for (const [name, before, change, after] of cases) t.strictSame(editYaml(before, change), { ok: true, text: after }, name)
  t.end()
})

await t.test('a file whose parts are indented otherwise is laid out anew', t => {
  const before = 'robots:\n  - name: r\nusers:\n      - name: a\n      - name: b\n'
  t.strictSame(editYaml(before, add), { ok: true, text: 'robots:\n  - name: r\nusers:\n  - name: a\n  - name: b\n  - name: new\n' })
  t.end()
})

await t.test('a file with aliases is left to a person', t => {
  t.match(editYaml('users: [{ name: a, groups: &g [x] }, { name: b, groups: *g }]', disable), { ok: false, message: /aliases/ })
  t.end()
})
