// Which room may know which? From the top of the house to its ground: a room knows those
// below it, and none beside or above it. eslint.config.js holds the imports to it, and
// test/rooms.test.ts sees that every file is in one, that files know each other one way
// too, and that docs/architecture.md draws this.

/**
 * @typedef {object} Room
 * @property {string} name the folder or file below src/, or plugins
 * @property {string} question what it answers
 * @property {readonly string[]} [only] the rooms that it may know, if it is not all below it
 */

/** @type {readonly Room[]} */
export const ROOMS = [
  { name: 'cli', question: 'What did somebody type?' },
  { name: 'commands', question: 'What does each command do?' },
  { name: 'serve', question: 'How does a process start, serve and end, alone or with workers?' },
  { name: 'app', question: 'Through which hooks and doors does a request go?' },
  { name: 'plugins', question: 'What does Fastify have to know?' },
  { name: 'metrics', question: 'How is it doing?' },
  { name: 'doors', question: 'What is asked, and what does that need?' },
  { name: 'judge', question: 'May they do all that it needs?' },
  { name: 'live', question: 'Which accounts, rules, keys and certificates are in force now?' },
  { name: 'replicas', question: 'What do all replicas know?' },
  { name: 'config', question: 'What did whoever runs it write?' },
  { name: 'identity', question: 'Who asks?' },
  { name: 'policy', question: 'May they?' },
  { name: 'tokens', question: 'What proves it?' },
  { name: 'uploads', question: 'What is pushed?' },
  { name: 'upstream', question: 'Who answers?' },
  { name: 'chartmuseum', question: 'How is ChartMuseum asked?' },
  { name: 'limits', question: 'Whose turn is it?' },
  { name: 'observe', question: 'What is said of it?' },
  { name: 'http', question: 'What does HTTP say?' },
  { name: 'tls', question: 'Which certificates are shown and taken?' },
  { name: 'files', question: 'What does a file say that a person wrote?' },
  { name: 'words', question: 'What do all rooms speak of?' },
  { name: 'repository', question: 'What would ChartMuseum do?', only: ['lib'] },
  { name: 'lib', question: 'What has nothing to do with charts?' }
]

/** The room of a file; undefined when it is in none. @param {string} file from the project's root */
export function roomOf (file) {
  const name = file.startsWith('plugins/') ? 'plugins' : /^src\/([^/.]+)/.exec(file)?.[1]
  return ROOMS.find(room => room.name === name)
}

/** What a room may not know, by name. @param {Room} room */
export function forbiddenTo ({ name, only }) {
  const below = ROOMS.slice(ROOMS.findIndex(room => room.name === name) + 1).map(room => room.name)
  return ROOMS.map(room => room.name).filter(other => other !== name && !(only ?? below).includes(other))
}
