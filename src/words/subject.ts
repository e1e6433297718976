// How may users, groups and robots be called? One grammar. No colon (it ends a user name
// in Basic, RFC 7617 section 2, and a kind in a subject), no blank, no character that a
// shell or a header takes for its own.

const NAME = '[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}'
const ROBOT_NAME = '[a-z0-9][a-z0-9._-]{0,62}'

/** A user's or group's name, such as alice or alice@example.com. */
export const NAME_FORM = `^${NAME}$`
export const ROBOT_NAME_FORM = `^${ROBOT_NAME}$`
/** Whom a rule can name. */
export const SUBJECT_FORM = `^(anonymous|authenticated|(user|group):${NAME}|robot:${ROBOT_NAME})$`

const name = new RegExp(NAME_FORM)
const robotName = new RegExp(ROBOT_NAME_FORM)
const subject = new RegExp(SUBJECT_FORM)

export function isName (text: string): boolean {
  return name.test(text)
}

export function isRobotName (text: string): boolean {
  return robotName.test(text)
}

export function isSubject (text: string): boolean {
  return subject.test(text)
}
