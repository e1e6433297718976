// neostandard's style, the promise rules that need types, the wall of the architecture
// (only app.ts and server.ts may know Fastify inside src/), and what keeps the cost of
// an input in proportion to its length.
import regexp from 'eslint-plugin-regexp'
import neostandard from 'neostandard'
import tseslint from 'typescript-eslint'

const NAME_THE_HEADER = 'Name the header that is read: test/properties/linear-input.test.ts looks for the names, and measures each.'

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
  {
    files: ['src/**/*.ts'],
    ignores: ['src/app.ts', 'src/server.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ group: ['fastify', 'fastify-*', '@fastify/http-proxy', '**/plugins/*'], message: 'src/ is plain TypeScript: put this into a plugin.' }] }]
    }
  }
]
