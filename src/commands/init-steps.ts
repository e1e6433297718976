// What comes after `chartgate init`? The commands and settings that lead to a gateway that
// serves, as they are for the configuration that was written.
import { dirname, join } from 'node:path'
import type { Answers, Situation } from './init-questions.ts'
import { FIRST_GROUP } from './init-text.ts'

/** @param config as it goes behind a command */
type Steps = (config: string, answers: Answers, folder: string) => readonly string[]

const STEPS: Readonly<Record<Situation, Steps>> = {
  embedded: () => [],
  basic: config => [
    'give the password of ChartMuseum in a file that CHARTGATE_UPSTREAM_PASSWORD_FILE names,',
    '  or in CHARTGATE_UPSTREAM_PASSWORD, to this and to the gateway:',
    `  chartgate check --upstream${config}`
  ],
  bearer: (config, answers, folder) => {
    const key = word(join(folder, 'chartgate-upstream.pub.pem'))
    const publicUrl = (answers['public-url'] as string).replace(/\/$/, '')
    const service = new URL(publicUrl).host
    return [
      'make the keys, as the user that will serve:',
      `  chartgate keys export --out ${key}${config}`,
      'run ChartMuseum with that file, so that it takes what chartgate signs and nothing else:',
      `  --bearer-auth --auth-realm ${publicUrl}/oauth/token --auth-service ${service} --auth-cert-path ${key}`,
      `  chartgate check --upstream${config}`
    ]
  }
}

/** Lines for a person. @param file the configuration's */
export function nextSteps (file: string, answers: Answers): string {
  // One that is found by its place needs no name (config/find.ts).
  const config = file === 'chartgate.yaml' ? '' : ` --config ${word(file)}`
  const steps = [
    ...STEPS[answers.situation](config, answers, dirname(file)),
    'add somebody who may do everything, and serve:',
    `  chartgate user add NAME --groups ${FIRST_GROUP}${config}`,
    `  chartgate serve${config}`
  ]
  return `what comes next:\n${steps.map(step => `  ${step}\n`).join('')}`
}

/** As a shell takes it for one word. */
function word (text: string): string {
  return /^[\w./@:+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
