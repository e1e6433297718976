// Files as large organisations have them.
import { createHash } from 'node:crypto'

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')

/** The text of an accounts file with so many accounts, four of five of them users. @param hash of all users */
export function manyAccounts (count: number, hash: string): string {
  const users = Array.from({ length: Math.round(count * 0.8) }, (_, i) => `  - { name: user-${i}, passwordHash: "${hash}", groups: [team-${i % 50}, all] }\n`)
  const robots = Array.from({ length: count - users.length }, (_, i) => `  - name: robot-${i}\n    groups: [team-${i % 50}]\n    secrets:\n      - hash: sha256:${digest(`${i}`)}\n        expires: 2030-01-01\n`)
  return `users:\n${users.join('')}robots:\n${robots.join('')}`
}

/** The text of a configuration with so many rules. */
export function manyRules (count: number, ...files: string[]): string {
  return `accounts: { files: [${files.join(', ')}] }\npolicy:\n${Array.from({ length: count }, (_, i) => `  - { repositories: ["team-${i}/*", public/charts], subjects: ["user:user-${i % 4000}", "group:all"], actions: [pull] }\n`).join('')}`
}
