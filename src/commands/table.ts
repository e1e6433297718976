// Which commands are there? Each with what its help says and what it takes; where the code
// of each is says cli.ts.
import type { Option } from './options.ts'

export interface CommandRow {
  /** One word or two. */
  readonly name: string
  /** A line. */
  readonly summary: string
  /** The words that follow its name. */
  readonly words?: readonly string[]
  /** The last of them may stand there any number of times. */
  readonly manyWords?: true
  /** All of them may be left out together. */
  readonly orNoWords?: true
  /** What each of the words can be, where that is known, for completion. */
  readonly choices?: readonly string[]
  /** Anything else is wrong usage. */
  readonly takes: readonly Option[]
  /** What else its help says, line by line. */
  readonly more?: readonly string[]
  readonly examples: readonly [string, ...string[]]
}

const ACCOUNTS = ['file', 'config'] as const

const ROWS = [
  {
    name: 'serve',
    summary: 'runs the gateway',
    takes: ['config'],
    more: [
      'SIGTERM and SIGINT end it when what runs has ended, ' +
      'SIGHUP reads everything again that can be.'
    ],
    examples: ['chartgate serve --config chartgate.yaml']
  },
  {
    name: 'reload',
    summary: 'lets the running gateway read its files again, and says what that changed or what is wrong',
    takes: ['state-dir', 'config'],
    more: [
      'Asks the process that has the stateDir, as its user or root, and waits for it and its workers.',
      'With --state-dir no configuration is read here.'
    ],
    examples: ['chartgate reload --config chartgate.yaml', 'chartgate reload --state-dir /var/lib/chartgate']
  },
  {
    name: 'check',
    summary: 'says whether the configuration is right, or every mistake in it',
    takes: ['config', 'charts', 'upstream', 'json'],
    examples: ['chartgate check --config chartgate.yaml', 'chartgate check --upstream']
  },
  {
    name: 'init',
    summary: 'writes a configuration to begin with, and checks it',
    words: ['FILE'],
    orNoWords: true,
    takes: ['situation', 'public-url', 'upstream-url', 'upstream-username', 'depth', 'context-path', 'state-dir'],
    more: [
      'What no option says is asked at a terminal. FILE is chartgate.yaml if it is not named; no file',
      'is written over. No password is asked for: it comes from CHARTGATE_UPSTREAM_PASSWORD_FILE.'
    ],
    examples: [
      'chartgate init',
      'chartgate init --situation embedded --public-url http://localhost:5001 chartgate.yaml'
    ]
  },
  {
    name: 'explain',
    summary: 'says who may do what, by which rule, and why not',
    words: ['ACTION', 'TENANT'],
    orNoWords: true,
    choices: ['pull', 'push', 'overwrite', 'delete'],
    takes: ['as', 'token', 'token-file', 'who', 'json', 'config'],
    more: [
      'Without ACTION and TENANT: all rights of whoever --as, --token or --token-file names.',
      'A robot\'s secret is never given on the command line, where others can see it.'
    ],
    examples: [
      'chartgate explain --as alice push team-a/web',
      'chartgate explain --as alice',
      'chartgate explain --who push team-a/web',
      'chartgate explain --token-file secret.txt pull team-a/web'
    ]
  },
  {
    name: 'federation explain',
    summary: 'says which rule takes the token of a job, and why the others do not',
    takes: ['token-file', 'json', 'config'],
    more: [
      'The token comes from standard input, or from a file; it is never printed.',
      'Keys that are had from a URL are fetched for it.'
    ],
    examples: [
      'chartgate federation explain --token-file token.jwt',
      'printf %s "$ID_TOKEN" | chartgate federation explain'
    ]
  },
  {
    name: 'user add',
    summary: 'adds a user to an accounts file, and asks for the password',
    words: ['NAME'],
    takes: ['groups', ...ACCOUNTS],
    more: ['The password is typed twice, or comes from standard input.', 'The file is made when it is missing.'],
    examples: ['chartgate user add alice --groups team-a,admins --file accounts.yaml']
  },
  {
    name: 'user passwd',
    summary: 'gives a user another password',
    words: ['NAME'],
    takes: ACCOUNTS,
    more: ['The password is typed twice, or comes from standard input.'],
    examples: ['chartgate user passwd alice', 'pass show chartgate/alice | chartgate user passwd alice']
  },
  {
    name: 'user disable',
    summary: 'refuses a user, and the tokens that were issued to them',
    words: ['NAME'],
    takes: ACCOUNTS,
    examples: ['chartgate user disable alice']
  },
  {
    name: 'user enable',
    summary: 'takes a disable back',
    words: ['NAME'],
    takes: ACCOUNTS,
    examples: ['chartgate user enable alice']
  },
  {
    name: 'user list',
    summary: 'lists the users of all accounts files, or of one',
    takes: [...ACCOUNTS, 'json'],
    examples: ['chartgate user list --json']
  },
  {
    name: 'robot create',
    summary: 'adds a robot to an accounts file, and prints its secret once',
    words: ['NAME'],
    takes: ['expires', 'groups', ...ACCOUNTS, 'json'],
    more: [
      '--expires is needed. The file is made when it is missing. Without --file and without a',
      'configuration that names one, the entry is printed, to be put into a file.'
    ],
    examples: ['chartgate robot create team-a-ci --expires 90d --file accounts.yaml']
  },
  {
    name: 'robot rotate',
    summary: 'gives a robot a new secret, prints it once, and lets the old one end',
    words: ['NAME'],
    takes: ['keep', 'expires', ...ACCOUNTS, 'json'],
    more: ['The new secret ends after 90d if --expires does not say otherwise.'],
    examples: ['chartgate robot rotate team-a-ci', 'chartgate robot rotate team-a-ci --keep 0   # it has leaked']
  },
  {
    name: 'robot disable',
    summary: 'refuses a robot, and the tokens that were issued to it',
    words: ['NAME'],
    takes: ACCOUNTS,
    examples: ['chartgate robot disable team-a-ci']
  },
  {
    name: 'robot enable',
    summary: 'takes a disable back',
    words: ['NAME'],
    takes: ACCOUNTS,
    examples: ['chartgate robot enable team-a-ci']
  },
  {
    name: 'robot delete',
    summary: 'takes a robot out of an accounts file',
    words: ['NAME'],
    takes: ACCOUNTS,
    examples: ['chartgate robot delete team-a-ci']
  },
  {
    name: 'robot list',
    summary: 'lists the robots of all accounts files, or of one, and when their secrets end',
    takes: [...ACCOUNTS, 'json'],
    examples: ['chartgate robot list']
  },
  {
    name: 'hash-password',
    summary: 'prints the hash of a password, for an accounts file',
    takes: [],
    more: ['The password is typed twice, or comes from standard input.'],
    examples: ['chartgate hash-password', 'printf %s "$PASSWORD" | chartgate hash-password']
  },
  {
    name: 'keys list',
    summary: 'lists the keys that sign and verify, with their states; makes none',
    takes: ['config', 'json'],
    examples: ['chartgate keys list']
  },
  {
    name: 'keys rotate',
    summary: 'makes a new key for tokens; what the old one signed counts until it ends',
    takes: ['alg', 'config'],
    examples: ['chartgate keys rotate', 'chartgate keys rotate --alg ES256']
  },
  {
    name: 'keys export',
    summary: 'prints the public key for ChartMuseum\'s AUTH_CERT_PATH',
    takes: ['out', 'config'],
    more: ['Makes the keys when there are none. Writes over nothing but a public key.'],
    examples: ['chartgate keys export --out chartgate-upstream.pub.pem']
  },
  {
    name: 'keys secret',
    summary: 'makes keys in a Secret of Kubernetes, once, from a pod in it',
    words: ['NAME'],
    takes: [],
    more: [
      'token.pem and upstream.pem sign, upstream.pub.pem is for ChartMuseum\'s AUTH_CERT_PATH. Keys that',
      'are there stay as they are. The pod\'s service account needs get, create and patch for that',
      'Secret alone, as the Helm chart gives it.'
    ],
    examples: ['chartgate keys secret chartgate-keys']
  },
  {
    name: 'revoke',
    summary: 'takes a token back, or all that were issued to a subject until now',
    takes: ['token', 'subject', 'config'],
    more: [
      'With redis.url at all replicas, else at the chartgate that has the stateDir; within a second.',
      'Who has an account gets new tokens: disable it first. Tokens of other token servers are',
      'revoked there.'
    ],
    examples: [
      'chartgate revoke --token 0b9b2a5e-6f6c-4a39-9d3c-2f6a1f4f7f0e',
      'chartgate revoke --subject robot:team-a-ci'
    ]
  },
  {
    name: 'audit',
    summary: 'prints who did what, from files of the audit log',
    words: ['FILE'],
    manyWords: true,
    orNoWords: true,
    takes: ['tenant', 'since', 'actor', 'action', 'unfinished', 'json'],
    more: [
      'Rotated and gzipped files too, in any order; - and no FILE is standard input, where lines of',
      'the log may stand between. An intent without an outcome is UNFINISHED, and comes last.',
      '--json prints the lines as they are in the file.'
    ],
    examples: [
      'chartgate audit --since 24h /var/log/chartgate/audit.log',
      'chartgate audit --tenant team-a/web --action push /var/log/chartgate/audit.log*',
      'chartgate audit --unfinished /var/log/chartgate/audit.log*'
    ]
  },
  {
    name: 'healthcheck',
    summary: 'asks a running gateway whether it is ready, for containers',
    takes: ['live', 'config'],
    more: ['Asks the admin listener of the configuration, on this machine; 0 is yes, 1 is no.'],
    examples: ['chartgate healthcheck']
  },
  {
    name: 'repository',
    summary: 'runs the embedded chart repository alone, without a configuration',
    takes: ['dir', 'port', 'depth', 'public-key'],
    more: ['--dir, --port and --depth are needed.'],
    examples: ['chartgate repository --dir ./charts --port 8080 --depth 2']
  },
  {
    name: 'completion',
    summary: 'prints what makes a shell complete commands and options',
    words: ['SHELL'],
    choices: ['bash', 'zsh', 'fish'],
    takes: [],
    examples: [
      'eval "$(chartgate completion bash)"          # in ~/.bashrc',
      'eval "$(chartgate completion zsh)"           # in ~/.zshrc, after compinit',
      'chartgate completion fish | source           # in ~/.config/fish/config.fish'
    ]
  },
  {
    name: 'version',
    summary: 'prints the version',
    takes: [],
    examples: ['chartgate version']
  },
  {
    name: 'help',
    summary: 'lists the commands, or says what one does',
    words: ['COMMAND'],
    orNoWords: true,
    takes: [],
    examples: ['chartgate help robot create']
  }
] as const satisfies readonly CommandRow[]

export const COMMANDS: readonly CommandRow[] = ROWS

/** help and version need nothing but the command line. */
export type LoadedCommand = Exclude<typeof ROWS[number]['name'], 'help' | 'version'>

/** The command that these words begin with, the longest one; undefined when there is none. */
export function commandOf (words: readonly string[]): CommandRow | undefined {
  return [2, 1].flatMap(length => {
    const name = words.slice(0, length).join(' ')
    return COMMANDS.find(row => row.name === name) ?? []
  })[0]
}

/** The commands of two words that begin with this one. */
export function commandsBelow (word: string): readonly CommandRow[] {
  return COMMANDS.filter(({ name }) => name.startsWith(`${word} `))
}
