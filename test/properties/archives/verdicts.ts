// Do chartgate and Helm take the same archives for the same chart? What chartgate refuses and
// Helm takes is argued here, each kind with its reason; and so is what chartgate takes and
// Helm refuses: it reads how a chart is called, and whoever stores it reads the rest.
import { Readable } from 'node:stream'
import { readChartArchive } from '../../../src/uploads/archive.ts'
import type { GoAnswer } from './loader.ts'

/** Sentences of chartgate, and why it refuses what Helm takes. */
export const ARGUED_REFUSALS: readonly (readonly [sentence: RegExp, why: string])[] = [
  [/ twice: which one is meant\?$/, 'name or version twice: readers differ in which one counts'],
  [/a key that some take for (?:name|version)/, 'a key in other letters is the field to Go alone'],
  [/which Helm reads as .*: write it in quotes$/, 'a number or base64 is other text to other readers'],
  [/line ends that readers take differently/, 'another name to readers of other line ends'],
  [/a byte order mark that is not at its start$/, 'where its buffer begins with one, Go passes over the first letter of each line'],
  [/no valid name: letters/, 'a name that no path and no other tool says'],
  [/requirements.yaml has a name or a version/, 'Helm takes it over that of Chart.yaml'],
  [/^(?:Chart|requirements).yaml (?:is not UTF-8|has control characters)/, 'Go reads nothing behind the first document, and some bytes ahead'],
  [/Chart.yaml that is too large or too deep/, 'a bound'],
  [/which no index can say$/, 'ChartMuseum\'s index could not be read any more'],
  [/two (?:Chart|requirements).yaml/, 'which one is meant?'],
  [/which some take for its |is its (?:Chart|requirements).yaml to some/, 'another Chart.yaml to other readers'],
  [/(?:Chart|requirements).yaml that is no file/, 'a Chart.yaml by its content, and by its type something else'],
  [/a name that leads out of its folder/, 'a traversal'],
  [/neither file, folder nor link/, 'a device'],
  [/two extended headers for one file|extended header with an empty or a second name|a record that is none|nothing in it that it could extend/, 'readers take another name from it, or fail'],
  [/extended header with a \S+ for all of its files/, 'every other reader changes all files'],
  [/extended header with another size than its file|a folder or a link with content|a size behind a NUL|a size that is none/, 'other readers find the next header in another place'],
  [/ends before its end|is not complete$/, 'cut short, or without its end'],
  [/no Chart.yaml in its folder|^Chart.yaml is empty/, 'Helm takes a requirements.yaml for one where there is none, or nothing in it'],
  [/something after its end|something follows its end/, 'some readers read on there'],
  [/ends after an extended header/, 'cut short'],
  [/^the archive is damaged/, 'flags of gzip that the RFC reserves']
]

/** Errors of Helm of what chartgate does not read: the rest of the chart, and of its Chart.yaml. */
export const ARGUED_ACCEPTANCES: readonly (readonly [error: RegExp, why: string])[] = [
  [/^validation: |cannot unmarshal|unsupported value|invalid map key|unsupported map key|cannot decode|invalid base64|map merge requires|excessive aliasing/, 'types of other fields, which ChartMuseum judges'],
  [/^error unpacking subchart/, 'a subchart, which ChartMuseum judges'],
  [/sparse|archive\/tar: invalid tar header|^unexpected EOF$/, 'the map of a sparse file, whose content is nothing of the name']
]

export type Outcome = 'both take' | 'both refuse' | 'chartgate refuses, argued' | 'chartgate takes, argued'

export type Verdict = { readonly ok: true, readonly outcome: Outcome } | { readonly ok: false, readonly text: string }

/** Reads an archive, and compares with what Helm said of it. */
export async function judgeArchive (bytes: Buffer, helm: GoAnswer): Promise<Verdict> {
  const read = await readChartArchive(Readable.from([bytes]), bytes.length)
  if (read.ok && helm.error === undefined) {
    const isSame = read.name === helm.name && read.version === helm.version
    return isSame ? { ok: true, outcome: 'both take' } : { ok: false, text: `${read.name} ${read.version} here, ${helm.name ?? ''} ${helm.version ?? ''} to Helm` }
  }
  if (read.ok) {
    const error = helm.error as string
    return ARGUED_ACCEPTANCES.some(([pattern]) => pattern.test(error)) ? { ok: true, outcome: 'chartgate takes, argued' } : { ok: false, text: `taken here as ${read.name} ${read.version}; Helm: ${error}` }
  }
  if (helm.error !== undefined) return { ok: true, outcome: 'both refuse' }
  return ARGUED_REFUSALS.some(([pattern]) => pattern.test(read.detail)) ? { ok: true, outcome: 'chartgate refuses, argued' } : { ok: false, text: `refused here: ${read.detail}; ${helm.name ?? ''} ${helm.version ?? ''} to Helm` }
}
