// `chartgate check --json`: the lines of check as data, for programs. What is checked is in
// configured.ts.
import { printJson, type Command } from './command.ts'
import { CHECK as CHECK_IN_WORDS } from './configured.ts'

const WARNING = 'chartgate: warning: '
const MISTAKE = 'chartgate: '

export const CHECK: Command = {
  async run (options, env, io, words) {
    if (options.json !== true) return await CHECK_IN_WORDS.run(options, env, io, words)
    let [out, err] = ['', '']
    const listening = { ...io, stdout: (text: string) => { out += text }, stderr: (text: string) => { err += text } }
    const code = await CHECK_IN_WORDS.run(options, env, listening, words)
    const [says, complaints] = [linesOf(out), linesOf(err)]
    printJson(io, {
      valid: code === 0,
      mistakes: complaints.filter(line => !line.startsWith(WARNING)).map(line => line.replace(MISTAKE, '')),
      warnings: complaints.filter(line => line.startsWith(WARNING)).map(line => line.slice(WARNING.length)),
      says
    })
    return code
  }
}

function linesOf (text: string): string[] {
  return text.split('\n').filter(line => line !== '')
}
