// How is a job called? `ci:github:{repository}` with what its token says; what does not have the
// one grammar of such names makes no name (words/subject.ts).
import { isCiName } from '../../words/subject.ts'

const TEMPLATE = /^ci:[a-z0-9][a-z0-9-]*:((?:[A-Za-z0-9._/-]|\{[A-Za-z0-9._/-]+\})+)$/
const CLAIM = /\{([A-Za-z0-9._/-]+)\}/g

/** True for what makes names of jobs. */
export function isTemplate (text: string): boolean {
  const name = TEMPLATE.exec(text)?.[1]
  return name !== undefined && isCiName(name.replace(CLAIM, 'x'))
}

/** The claims that stand in it. */
export function claimsIn (template: string): string[] {
  return [...template.matchAll(CLAIM)].map(([, name]) => name as string)
}

/**
 * The subject of a template that is one.
 * @param valueOf the text of a claim; undefined: it has none
 * @returns the claim that hinders it, where one does
 */
export function fillTemplate (
  template: string,
  valueOf: (claim: string) => string | undefined
): { readonly ok: true, readonly subject: string } | { readonly ok: false, readonly claim: string } {
  for (const claim of claimsIn(template)) {
    const value = valueOf(claim)
    if (value === undefined || !isCiName(value)) return { ok: false, claim }
  }
  const subject = template.replace(CLAIM, (_, claim: string) => valueOf(claim) as string)
  const name = subject.slice(subject.indexOf(':', 'ci:'.length) + 1)
  return isCiName(name) ? { ok: true, subject } : { ok: false, claim: claimsIn(template).at(-1) as string }
}
