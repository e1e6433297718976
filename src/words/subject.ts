// How are those written who may do something, and how may users, groups and robots be
// called? One grammar: `KIND:NAME`, or a word for nobody in particular. No colon (it ends a user name
// in Basic, RFC 7617 section 2, and a kind in a subject), no blank, no character that a
// shell or a header takes for its own.

const NAME = '[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}'
const ROBOT_NAME = '[a-z0-9][a-z0-9._-]{0,62}'

/** A user's or group's name, such as alice or alice@example.com. */
export const NAME_FORM = `^${NAME}$`
export const ROBOT_NAME_FORM = `^${ROBOT_NAME}$`
/**
 * A claim's value that may stand in a subject: repositories, groups and service accounts as
 * platforms call them, and nothing that a log, a header or a reader of paths takes for its own.
 */
export const CI_NAME_FORM = '^(?!(?:.*/)?\\.{1,2}(?:/|$))[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*$'
/** Whom a rule can name. */
export const SUBJECT_FORM = `^(anonymous|authenticated|(user|group):${NAME}|(robot|cert):${ROBOT_NAME})$`

/** What is allowed to everyone, whoever they are. */
export const EVERYONE = 'anonymous'
/** What is allowed to whoever has an account here. */
export const AUTHENTICATED = 'authenticated'

/** What has an account of its own here. */
export type AccountKind = 'user' | 'robot' | 'cert'
export type SubjectKind = AccountKind | 'group' | 'key' | 'issuer' | 'ci'

/** `robot:ci` of a robot that is called ci; of an issuer the name is NAME/SUB, of a job github:OWNER/REPO. */
export function subjectOf (kind: SubjectKind, name: string): string {
  return `${kind}:${name}`
}

/** `robot` and `ci` of `robot:ci`; a subject without a kind is a name alone. */
export function readSubject (subject: string): { readonly kind: string, readonly name: string } {
  const colon = subject.indexOf(':')
  return { kind: subject.slice(0, Math.max(colon, 0)), name: subject.slice(colon + 1) }
}

const name = new RegExp(NAME_FORM)
const robotName = new RegExp(ROBOT_NAME_FORM)
const ciName = new RegExp(CI_NAME_FORM)
const subject = new RegExp(SUBJECT_FORM)
const LONGEST_CI_NAME = 255

export function isName (text: string): boolean {
  return name.test(text)
}

export function isRobotName (text: string): boolean {
  return robotName.test(text)
}

export function isCiName (text: string): boolean {
  return text.length <= LONGEST_CI_NAME && ciName.test(text)
}

/** True for how a job is called, which no rule of the policy names. */
export function isCiSubject (text: string): boolean {
  const [, name] = /^ci:[a-z0-9][a-z0-9-]*:(.*)$/.exec(text) ?? []
  return name !== undefined && isCiName(name)
}

export function isSubject (text: string): boolean {
  return subject.test(text)
}
