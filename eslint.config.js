// neostandard's style, the promise rules that need types, the walls of the architecture
// (scripts/rooms.js; only app.ts may know Fastify inside src/), and what keeps the cost
// of an input in proportion to its length.
import { existsSync } from 'node:fs'
import regexp from 'eslint-plugin-regexp'
import neostandard from 'neostandard'
import tseslint from 'typescript-eslint'
import { ROOMS, forbiddenTo } from './scripts/rooms.js'

const NAME_THE_HEADER = 'Name the header that is read: test/properties/linear-input.test.ts looks for the names, and measures each.'

/** Of the rooms in src/ only the list of registrations may; and what plugins are for. */
const KNOW_FASTIFY = ['app', 'plugins']

/** How files of a room are imported from another one: from src/ itself, a folder in it, a folder in that, and plugins/. */
function waysTo (name, from) {
  const toSrc = existsSync(`src/${from}.ts`) ? ['./'] : from === 'plugins' ? ['../src/'] : ['../', '../../']
  return toSrc.flatMap(up => name === 'plugins' ? [`${up}../plugins/*`] : [`${up}${name}.ts`, `${up}${name}/**`])
}

export default [
  { ignores: ['dist/', '.tap/', 'data/', 'coverage/'] },
  ...neostandard({ ts: true }),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      'no-void': ['error', { allowAsStatement: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }]
    }
  },
  {
    files: ['src/**/*.ts', 'plugins/**/*.ts'],
    plugins: { regexp },
    rules: {
      'max-len': ['error', { code: 120 }],
      // What tries every place to divide a text at takes seconds for a header.
      'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
      'regexp/no-super-linear-move': ['error', { report: 'potential', ignorePartial: false }],
      'regexp/no-dupe-disjunctions': 'error',
      'no-restricted-syntax': ['error',
        { selector: "MemberExpression[computed=true][property.type!='Literal'][object.name=/^(?!raw).*[hH]eaders$/i]", message: NAME_THE_HEADER },
        { selector: "MemberExpression[computed=true][property.type!='Literal'][object.property.name=/^(?!raw).*[hH]eaders$/i]", message: NAME_THE_HEADER }
      ]
    }
  },
  ...ROOMS.map(room => ({
    files: room.name === 'plugins' ? ['plugins/**/*.ts'] : [`src/${room.name}.ts`, `src/${room.name}/**/*.ts`],
    rules: {
      'no-restricted-imports': ['error', {
        patterns: [
          ...KNOW_FASTIFY.includes(room.name) ? [] : [{ group: ['fastify', 'fastify-*', '@fastify/http-proxy'], message: 'src/ is plain TypeScript: put this into a plugin.' }],
          { group: forbiddenTo(room).flatMap(name => waysTo(name, room.name)), message: `${room.name} knows the rooms below it (scripts/rooms.js): move the word that both share down, or the file up.` }
        ].filter(({ group }) => group.length > 0)
      }]
    }
  }))
]
