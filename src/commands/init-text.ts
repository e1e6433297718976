// What does a new configuration say? A table of its parts: what a person reads, and the lines
// that count, or that stand there for later. It names what differs from place to place;
// config/chartgate.example.yaml has every key.
import { stringify } from 'yaml'
import { isLoopbackUrl } from '../lib/safe-url.ts'
import type { Answers, Situation } from './init-questions.ts'

interface Part {
  readonly in?: readonly Situation[]
  /** Comments, a line each. */
  readonly says?: readonly string[]
  /** YAML, a line each. */
  readonly lines?: (answers: Answers) => readonly string[]
  /** Its lines are commented out. */
  readonly later?: true
}

/** The accounts file beside it. */
export const ACCOUNTS_NAME = 'accounts.yaml'
/** Who may do everything. */
export const FIRST_GROUP = 'admins'

const IN_FRONT = ['basic', 'bearer'] as const

const PARTS: readonly Part[] = [
  {
    says: [
      'Made by chartgate init. docs/configuration.md has every key; chartgate check says every mistake.',
      'What begins with # and no blank is for later: take the # away.'
    ]
  },
  {
    says: ['', 'The URL that clients use. Challenges and links are built from it; a path in it is the base path.'],
    lines: answers => [`publicUrl: ${scalar(answers['public-url'])}`]
  },
  {
    says: [
      '', 'Where clients are listened to. Loopback is for a proxy on this machine, which has the certificate;',
      '0.0.0.0 is every address.'
    ],
    lines: answers => ['listen:', '  host: 127.0.0.1', `  port: ${portOf(answers)}`]
  },
  { says: ['Proxies whose X-Forwarded-For counts.'], lines: () => ['trustedProxies: [127.0.0.1]'], later: true },
  {
    says: ['For probes alone: /healthz and /readyz.'],
    lines: () => ['admin:', '  host: 127.0.0.1', '  port: 5002']
  },
  { says: ['', 'Keys and uploads under way, of this chartgate alone. Its keys belong into a backup.'], in: IN_FRONT },
  {
    says: ['', 'Charts, keys and uploads under way, of this chartgate alone. Charts and keys belong into a backup.'],
    in: ['embedded']
  },
  { lines: answers => [`stateDir: ${scalar(answers['state-dir'])}`] },
  {
    says: ['', 'The ChartMuseum behind it.'],
    in: IN_FRONT,
    lines: answers => ['upstream:', `  url: ${scalar(answers['upstream-url'])}`, `  auth: ${answers.situation}`]
  },
  {
    in: ['basic'],
    lines: answers => [
      `  username: ${scalar(answers['upstream-username'])}`,
      '  # The password is in no configuration: CHARTGATE_UPSTREAM_PASSWORD_FILE names a file that holds it,',
      '  # or CHARTGATE_UPSTREAM_PASSWORD is it.'
    ]
  },
  {
    in: ['bearer'],
    lines: () => [
      '  # It is asked with a token for one tenant and one action. `chartgate keys export` has the key for its',
      '  # --auth-cert-path. Several chartgates in front of it share one:'
    ]
  },
  { in: ['bearer'], lines: () => ['  key: { file: upstream.pem }'], later: true },
  { lines: () => ['', 'charts:'] },
  {
    in: IN_FRONT,
    lines: answers => [
      '  # As ChartMuseum is run: --depth, --context-path, and not above its --max-upload-size.',
      `  depth: ${answers.depth}`,
      `  contextPath: ${scalar(answers['context-path'])}`
    ]
  },
  {
    in: ['embedded'],
    lines: answers => ['  # How many path segments name a tenant.', `  depth: ${answers.depth}`]
  },
  { lines: () => ['  maxUploadSize: 20MiB'] },
  {
    says: ['', 'Who there is: chartgate user add, chartgate robot create. An htpasswd file can be named too.'],
    lines: () => ['accounts:', `  files: [${ACCOUNTS_NAME}]`]
  },
  {
    says: [
      '', 'Who may do what. Rules only add; ** is every tenant, and team-a/* each one with these two segments.',
      'chartgate explain says what is decided, and why.'
    ],
    lines: () => [
      'policy:',
      '  - repositories: ["**"]',
      `    subjects: ["group:${FIRST_GROUP}"]`,
      '    actions: [pull, push, overwrite, delete]'
    ]
  },
  {
    lines: () => [
      '  - repositories: ["**"]',
      '    subjects: [authenticated]   # whoever has an account; anonymous is everyone',
      '    actions: [pull]'
    ],
    later: true
  },
  {
    says: ['', 'Reads are logged too.'],
    lines: () => ['log: { reads: true }'],
    later: true
  },
  { says: ['One process for each core.'], lines: () => ['workers: auto'], later: true }
]

/** The text of a configuration. */
export function configurationText (answers: Answers): string {
  const parts = PARTS.filter(part => part.in === undefined || part.in.includes(answers.situation))
  return parts.flatMap(({ says = [], lines, later }) => [
    ...says.map(line => line === '' ? '' : `# ${line}`),
    ...(lines?.(answers) ?? []).map(line => later === true ? `#${line}` : line)
  ]).map(line => `${line}\n`).join('')
}

/** The text of an accounts file with nobody in it. */
export const ACCOUNTS_TEXT = `# Who there is. chartgate user add and chartgate robot create write here; docs/accounts.md
# shows what. A running gateway follows within a second.
`

/** Of a client on this machine the port is in the URL; else a proxy comes to the usual one. */
function portOf (answers: Answers): number {
  const url = new URL(answers['public-url'] as string)
  const { protocol, port } = url
  const isOwn = protocol === 'http:' && isLoopbackUrl(url)
  return isOwn && port !== '' ? Number(port) : 5001
}

/** In one line, in quotes where YAML needs them. */
function scalar (answer: string | undefined): string {
  return stringify(answer, { lineWidth: 0, blockQuote: false }).trimEnd()
}
