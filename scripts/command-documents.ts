// docs/commands.md, made from the table of commands, so that it cannot drift. A test
// compares it; `npm run docs:commands` writes it.
import { EXIT_CODES } from '../src/commands/command.ts'
import { helpOf, overview } from '../src/commands/help.ts'
import { COMMANDS } from '../src/commands/table.ts'

/** docs/commands.md */
export function commandsMarkdown (): string {
  const codes = Object.entries(EXIT_CODES).map(([code, meaning]) => `| ${code} | ${meaning} |`)
  const helps = COMMANDS.map(row => `### ${row.name}\n\n\`\`\`\n${helpOf(row)}\`\`\`\n`)
  return `# Commands

Made from \`src/commands/table.ts\` by \`npm run docs:commands\`.

\`\`\`
${overview()}\`\`\`

\`chartgate help COMMAND\` and \`chartgate COMMAND --help\` are the same, and fit on a screen. Results are on standard output, everything else on standard error, so that \`SECRET=$(chartgate robot rotate ci)\` holds the secret and nothing more. \`--json\` prints JSON in place of lines; the exit code is the same.

## Exit codes

| code | what it means |
| --- | --- |
${codes.join('\n')}

Wrong usage is told in a line, with what was probably meant:

\`\`\`
$ chartgate check --confg chartgate.yaml
chartgate: check takes no --confg: did you mean --config?
See: chartgate check --help
\`\`\`

## A configuration to begin with

\`init\` writes \`chartgate.yaml\` for one of three situations: \`embedded\` (the charts lie here), \`basic\` or \`bearer\` (they lie in a ChartMuseum that is asked like that). What no option says is asked at a terminal; in a script, an option that is missing is wrong usage. The file has a comment for each key, and what is for later stands there commented out.

* **Nothing is written over**: a configuration that is there is an error, and an \`accounts.yaml\` beside it is used as it is. Otherwise an empty one is made; both have mode 0600.
* **No secret is asked for or made.** ChartMuseum's password comes from a file that \`CHARTGATE_UPSTREAM_PASSWORD_FILE\` names, or from \`CHARTGATE_UPSTREAM_PASSWORD\`; keys are made by \`keys export\` or \`serve\`, as the user that they belong to. In the beginning nobody has a right, and \`check\` warns of that.
* **Then it is checked**, as by \`check\`, and with a ChartMuseum as by \`check --upstream\`. One that does not run yet or cannot be reached from here is a warning, and so is for \`bearer\` that it does not have the key; with another depth, context path or password than it is run with, the exit code is 1. The file stays: it is what you said, and the line says which key to change.
* **What comes next** is printed: the commands as they are for this file.

\`\`\`
$ chartgate init --situation embedded --public-url http://localhost:5001
chartgate.yaml is written, and accounts.yaml with nobody in it
chartgate: warning: /etc/chartgate/chartgate.yaml:34: policy[0]: the subject group:admins is in no accounts file
chartgate: warning: nobody has any right: no rule of policy is for somebody who is there, and there is no masterKey
configuration is valid: http://localhost:5001 on 127.0.0.1:5001 in front of the embedded repository on /etc/chartgate/data/charts, depth 2, 1 rule, 0 users, 0 robots; configuration file /etc/chartgate/chartgate.yaml
what comes next:
  add somebody who may do everything, and serve:
    chartgate user add NAME --groups admins
    chartgate serve
\`\`\`

## Accounts files

\`user\` and \`robot\` change an accounts file: the one that \`--file\` names, or else the first of the configuration whose name ends in \`.yaml\` or \`.yml\`. With \`--file\` no configuration is read. \`add\` and \`create\` make a file that is missing, with mode 0600. [Accounts](accounts.md) shows a file before and after.

* **A running gateway follows within a second**, without a restart.
* **Comments, order and layout stay**, and so do owner and mode. Lines that the change does not reach are kept byte for byte, unless the layout of the file is an unusual one; then it is laid out anew, with its comments. A file with aliases (\`*name\`) is left to you.
* **Whole or not at all**: the new text is written beside the file, read as \`check\` would read it, and then takes its name. What \`check\` would refuse is not written; with a configuration, names and secrets of its other accounts files count too.
* **Two at once lose nothing**: the second one waits, ten seconds at most, for the lock file \`FILE.lock\`. One that a command left behind which was ended is taken away by the next. An editor that saves meanwhile is noticed.
* **Links lead to the file itself**. A file of a Kubernetes volume is not changed: it follows a Secret or ConfigMap, and what is written beside it would be lost.

## Passwords and secrets

A password is typed twice at a terminal, without an echo, or comes from standard input, where the end of its last line does not count. There is no option for it: other users of a machine see the command lines of all. Bytes that are no UTF-8 are refused, because two passwords could be the same then.

A robot's secret is made by \`robot create\` and \`robot rotate\`, and printed once; the file keeps its SHA-256. \`robot rotate\` adds a secret and lets the one before it end after \`--keep\` (7 days). A robot has two at most: while both of them count, only \`--keep 0\` rotates, which ends both at once. What has ended is taken out.

## What is decided, and why

\`explain\` makes the decision that every door makes, and answers four questions:

| | |
| --- | --- |
| \`explain --as alice push team-a/web\` | May they, and by which rule? If not: the rule that is nearest, which gives them something else there, or gives it to others, or gives it elsewhere. |
| \`explain --as alice\` | What may they do at all? A line for each pattern of tenants. |
| \`explain --who push team-a/web\` | Who may? \`anonymous\` is everyone and \`authenticated\` whoever has an account; nobody else is listed beside them. |
| \`explain --token - pull team-a/web\` | What is decided for this token, or robot's secret? |

An account that is disabled, a secret that has ended and a token that is refused are denied, with the reason (exit code 3). \`--as\` takes the name alone where it is one account's.

## In a container

\`healthcheck\` asks the admin listener of the configuration for \`/readyz\`, or with \`--live\` for \`/healthz\`, as the image does: an engine may replace what is not healthy, and a chart repository that is away is no reason for that.

## All of them

${helps.join('\n')}`
}
