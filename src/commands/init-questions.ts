// What has to be known to write a configuration? Each thing with the option that says it, how
// it is asked for at a terminal, and when. What an answer may be says the configuration's
// own reader, in its words.
import { configOf } from '../config/load.ts'
import type { Option } from './options.ts'

export const SITUATIONS = ['embedded', 'basic', 'bearer'] as const
/** Where charts lie: here, or in a ChartMuseum that is asked in this way. */
export type Situation = typeof SITUATIONS[number]

export interface Question {
  readonly option: Option
  /** At a terminal, without what an empty answer means. */
  readonly prompt: string
  /** In which situations; all if left out. */
  readonly in?: readonly Situation[]
  /** What counts when nothing is said; where there is nothing it has to be said. */
  readonly otherwise?: Readonly<Partial<Record<Situation, string>>>
  /** The key of the configuration that it is for, with dots. */
  readonly key?: string
  /** Digits are a number there. */
  readonly number?: true
}

const IN_FRONT = ['basic', 'bearer'] as const

const ROWS = [
  {
    option: 'situation',
    prompt: 'Where are the charts? embedded (here), or in a ChartMuseum that is asked with basic or bearer'
  },
  {
    option: 'public-url',
    prompt: 'The URL that clients will use, such as https://charts.example.com',
    key: 'publicUrl'
  },
  {
    option: 'upstream-url',
    prompt: 'The URL of ChartMuseum, such as http://chartmuseum:8080',
    in: IN_FRONT,
    key: 'upstream.url'
  },
  {
    option: 'upstream-username',
    prompt: 'The user of ChartMuseum (--basic-auth-user)',
    in: ['basic'],
    key: 'upstream.username'
  },
  {
    option: 'depth',
    prompt: 'How many path segments name a tenant, as ChartMuseum is run (--depth)',
    otherwise: { embedded: '2' },
    key: 'charts.depth',
    number: true
  },
  {
    option: 'context-path',
    prompt: 'The path that ChartMuseum is run below (--context-path); empty if there is none',
    in: IN_FRONT,
    otherwise: { basic: '', bearer: '' },
    key: 'charts.contextPath'
  },
  {
    option: 'state-dir',
    prompt: 'The folder for what is kept; a relative one lies beside the configuration',
    otherwise: { embedded: './data', basic: './data', bearer: './data' },
    key: 'stateDir'
  }
] as const satisfies readonly Question[]

export const QUESTIONS: readonly Question[] = ROWS

/** One for each question that is asked in a situation. */
export type Answers =
  { readonly situation: Situation } &
  Readonly<Partial<Record<Exclude<typeof ROWS[number]['option'], 'situation'>, string>>>

/** True when the question makes sense; while the situation is not known, only what always does. */
export function isAsked (question: Question, situation: Situation | undefined): boolean {
  return question.in === undefined || (situation !== undefined && question.in.includes(situation))
}

/** What is wrong with an answer, in a sentence; undefined when nothing is. */
export async function answerFault ({ key, number }: Question, answer: string): Promise<string | undefined> {
  if (key === undefined) {
    return isSituation(answer) ? undefined : `${JSON.stringify(answer)} is not one of ${SITUATIONS.join(', ')}`
  }
  const leaf = number === true && /^\d{1,4}$/.test(answer) ? Number(answer) : answer
  const value = key.split('.').reverse().reduce<unknown>((inner, name) => ({ [name]: inner }), leaf)
  const read = await configOf(undefined, JSON.stringify(value), {})
  return read.ok ? undefined : read.mistakes.join('; ').replace(`${key}: `, '')
}

export function isSituation (text: string | undefined): text is Situation {
  return SITUATIONS.some(each => each === text)
}
