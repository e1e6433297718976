// Where do the answers of `chartgate init` come from? From options, then from whoever sits at a
// terminal, then from what is usual; what nobody can be asked for is wrong usage.
import type { Io, WrongUsage } from './command.ts'
import { answerFault, isAsked, isSituation, QUESTIONS, type Answers, type Question } from './init-questions.ts'
import type { Options } from './options.ts'

export type Asked =
  | { readonly ok: true, readonly answers: Answers }
  /** They went away while they were asked. */
  | { readonly ok: false }
  | WrongUsage

/** @returns wrong usage: every option that is wrong, has no sense, or is missing where nobody sits at a terminal */
export async function answersOf (options: Options, { ask, stderr }: Pick<Io, 'ask' | 'stderr'>): Promise<Asked> {
  const answers: Record<string, string> = {}
  const wrong = await optionFaults(options)
  for (const question of QUESTIONS) {
    const { option, otherwise } = question // the situation is the first
    const situation = isSituation(answers['situation']) ? answers['situation'] : undefined
    const given = options[option] as string | undefined
    const usual = situation === undefined ? undefined : otherwise?.[situation]
    if (!isAsked(question, situation)) continue
    if (given !== undefined) {
      answers[option] = given
    } else if (ask !== undefined && wrong.length === 0) {
      const typed = await askUntilRight(question, usual, ask, stderr)
      if (typed === undefined) return { ok: false }
      answers[option] = typed
    } else if (usual !== undefined) {
      answers[option] = usual
    } else if (ask === undefined && (situation !== undefined || otherwise === undefined)) {
      wrong.push(`init needs --${option} where nobody can be asked: ${question.prompt}`)
    }
    if (option === 'situation') wrong.push(...withoutSense(options, answers[option]))
  }
  // Each of them is there now that has sense in the situation.
  return wrong.length > 0 ? { wrong } : { ok: true, answers: answers as unknown as Answers }
}

/** @param situation as it was said; undefined when it was not */
function withoutSense (options: Options, situation: string | undefined): string[] {
  return isSituation(situation)
    ? QUESTIONS.filter(question => options[question.option] !== undefined && !isAsked(question, situation))
      .map(({ option }) => `--${option} has no sense with ${situation}`)
    : []
}

async function optionFaults (options: Options): Promise<string[]> {
  const faults = await Promise.all(QUESTIONS.map(async question => {
    const given = options[question.option] as string | undefined
    const fault = given === undefined ? undefined : await answerFault(question, given)
    return fault === undefined ? [] : [`--${question.option}: ${fault}`]
  }))
  return faults.flat()
}

/** Asks again until the answer can be used. @param usual what an empty one means */
async function askUntilRight (
  question: Question,
  usual: string | undefined,
  ask: NonNullable<Io['ask']>,
  stderr: Io['stderr']
): Promise<string | undefined> {
  const prompt = `${question.prompt}${usual === undefined || usual === '' ? '' : ` [${usual}]`}: `
  for (;;) {
    const typed = (await ask(prompt))?.trim()
    if (typed === undefined) return undefined
    const answer = typed === '' ? usual : typed
    const fault = answer === undefined ? 'that has to be said' : await answerFault(question, answer)
    if (answer !== undefined && fault === undefined) return answer
    stderr(`chartgate: ${fault}\n`)
  }
}
