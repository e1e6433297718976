// docs/reasons.md, made of the table of reasons (src/http/reasons.ts) and of the table of
// the log's fields below, so that neither can drift. A test compares them; `npm run
// docs:reasons` writes the page.
import { AGAIN, REASON_GROUPS, RETRY_AFTER, type Reason } from '../src/http/reasons.ts'

type Row = readonly [field: string, what: string]

/** Every field that a line of the log may have, in groups of lines. */
export const LOG_FIELDS: Readonly<Record<string, readonly Row[]>> = {
  'Every line': [
    ['level', '`fatal`, `error`, `warn`, `info`, `debug` or `trace`'],
    ['time', 'ISO 8601, UTC'],
    ['pid', 'the process: with several workers, which one'],
    ['hostname', 'the machine'],
    ['msg', 'what happened, in a sentence']
  ],
  'What became of a request (`allowed`, `info`; `refused`, `warn`)': [
    ['reqId', 'its id; the client has it in `X-Request-Id`'],
    ['door', '`authz`: a proxy asked whether the request may pass ([forward-auth.md](forward-auth.md)); `allowed` says that it was told yes, and not what became of it'],
    ['ip', 'whose request it is, as far as `trustedProxies` says'],
    ['method', 'its method'],
    ['subject', 'whose credentials came: `user:alice`, `robot:ci`, `key:master`, `issuer:NAME/SUB`, `ci:PROVIDER/…`, `anonymous`'],
    ['route', 'which route of [routing.md](routing.md), which endpoint of our own, or of the registry (`oci-…`)'],
    ['path', 'of a target that is none of them: the path as it came, without its query'],
    ['tenant', 'of which tenant'],
    ['action', '`pull`, `push`, `overwrite` or `delete`'],
    ['chart', 'the name of the chart'],
    ['version', 'its version'],
    ['file', 'the file that was asked for'],
    ['asked', 'of a token request: the scopes that it asked for'],
    ['granted', 'the scopes that the token has'],
    ['decision', '`allowed`, `refused`, `aborted` (the client left), `ended` (its download made place for others), `dropped` (it came before the answer to the one before it) or `cut_off` (the process ended)'],
    ['by', 'of what was allowed: the rules, or what else allowed it'],
    ['reason', 'of what was refused: a code of the table below'],
    ['detail', 'what the client was told, where that is more than the reason says'],
    ['because', 'of the token of a job: whose it is, and what is in the way of the rule that comes nearest; no client is told'],
    ['parser', 'of bytes that are no request: what the parser says of them'],
    ['digest', 'of a push: SHA-256 of the archive; at `/v2/`: that of the manifest or blob that was named by it'],
    ['bytes', 'of a push: the size of the archive'],
    ['provenance', 'of a push: SHA-256 of the provenance file'],
    ['status', 'the status code of the answer'],
    ['ms', 'milliseconds from the request to this line'],
    ['err', 'what failed behind it: `type`, `message`, `code`, `stack`, `cause`']
  ],
  'The process and its files': [
    ['address', 'where clients are listened to'],
    ['probes', 'where probes are'],
    ['publicUrl', 'the URL of clients'],
    ['authz', 'where proxies ask ([forward-auth.md](forward-auth.md))'],
    ['dialect', 'which of them, in whose words'],
    ['stateDir', 'where its data lies'],
    ['warning', 'what may not be as it was meant: with the place'],
    ['mistake', 'why a changed file is not used: with file, line and column'],
    ['mistakes', 'how many there are'],
    ['users', 'how many users are in force'],
    ['robots', 'how many robots'],
    ['rules', 'how many rules'],
    ['keys', 'which keys are in force; which keys of the configuration have changed, or wait for a restart'],
    ['issuers', 'token servers, and how many keys each has'],
    ['issuer', 'a token server'],
    ['upstream', 'the chart repository'],
    ['seconds', 'how long it did not answer'],
    ['running', 'how many requests still run'],
    ['worker', 'a worker, by its pid'],
    ['workers', 'several of them'],
    ['code', 'the exit code of a worker; of an event, what the system said'],
    ['signal', 'the signal that ended it'],
    ['said', 'what it said of it'],
    ['lines', 'how many lines of log were lost']
  ],
  'The embedded repository': [
    ['event', '`listening`, `saved`, `deleted`, `refused`, `failed`, `file_left_out`, `folder_not_watched`, ' +
      '`index_not_saved`, `index_not_removed`, `cut_off`, `nothing_to_read`'],
    ['id', 'the id of its request: the gateway\'s, behind one'],
    ['size', 'bytes of the file'],
    ['error', 'why it failed, as `err`'],
    ['port', 'where it listens, alone'],
    ['depth', 'of its tenants'],
    ['dir', 'where its charts lie'],
    ['checksTokens', 'whether it asks for a token']
  ]
}

/** docs/reasons.md */
export function reasonsMarkdown (): string {
  return `# The log and its reasons

Made from \`src/http/reasons.ts\` and \`scripts/reason-documents.ts\` by \`npm run docs:reasons\`.

The log is lines of JSON on standard output. At a terminal a person reads: the first line, and the demo's walkthrough, are text, and the lines behind them are short and in colour (pino-pretty, which npm installs beside chartgate if it can; \`NO_COLOR=1\` leaves the colour out). A control character in them is shown, as in \`\\u{1b}\`, and not obeyed. Refusals (\`warn\`) and changes (\`info\`) are always logged as far as \`log.level\` goes, allowed reads with \`log.reads\`. An \`error\` wants somebody: the chart repository does not answer (one line when that begins, and one with \`seconds\` when it is over), a changed file cannot be used, a worker was replaced, lines were lost, or something happened that nobody expected. No line holds a secret, a header, a query or a body.

## Fields

${Object.entries(LOG_FIELDS).map(([lines, rows]) => `### ${lines}\n\n${table(['field', 'what it is'], rows.map(([field, what]) => [`\`${field}\``, what]))}`).join('\n')}
## Reasons

\`reason\` of a refused request. The client reads the status and a sentence, and no more of a 401 than \`unauthorized\`. Whatever is answered ${[...AGAIN].slice(0, -1).join(', ')} or ${[...AGAIN].at(-1)} has \`Retry-After: ${RETRY_AFTER}\`: the same may be asked again then.

${Object.entries(REASON_GROUPS).map(([group, reasons]) => `### ${group}\n\n${table(['reason', 'status', 'what it means', 'what to do'], Object.entries<Reason>(reasons).map(([code, { status, means, todo }]) => [`\`${code}\``, String(status), means, todo]))}`).join('\n')}`.trimEnd() + '\n'
}

function table (head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |\n`).join('')
}
