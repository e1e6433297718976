// An accounts file as data: types, validation and the JSON Schema for editors in one.
import { NAME_FORM, ROBOT_NAME_FORM } from '../../words/subject.ts'
import { flag, list, mapping, text, type Fitting, type Node } from '../../files/nodes.ts'

/** A day, from its beginning in UTC, or a moment (RFC 3339). */
const MOMENT_FORM = '^\\d{4}-\\d\\d-\\d\\d([Tt ]\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?([Zz]|[+-]\\d\\d:\\d\\d))?$'
const moment = (description: string): Node<string> => text({
  pattern: MOMENT_FORM,
  description,
  expected: 'a day such as 2027-02-01, or a moment such as 2027-02-01T12:00:00Z'
})

/** What every account may have. */
const common = {
  groups: list(text({ pattern: NAME_FORM, expected: "a group's name" }), {
    description: 'groups that rules can name as group:NAME',
    expected: 'a list of group names'
  }),
  disabled: flag({
    description: 'true refuses the account and the tokens that were issued to it',
    expected: 'true or false'
  })
}

const UserNode = mapping({
  name: text({
    pattern: NAME_FORM,
    description: "the user's name",
    expected: 'a name of letters, digits, ".", "_", "@", "+" and "-"'
  }),
  passwordHash: text({
    description: 'argon2id or bcrypt: chartgate hash-password',
    secret: true,
    expected: 'an argon2id or bcrypt hash: make one with chartgate hash-password'
  })
}, { expected: 'a user with name and passwordHash' }, common)

const SecretNode = mapping({
  hash: text({
    pattern: '^sha256:[0-9a-f]{64}$',
    description: 'SHA-256 of the secret: chartgate robot create',
    secret: true,
    expected: 'sha256: and 64 hexadecimal digits, as chartgate robot create prints it'
  })
}, { expected: 'a secret with its hash' }, {
  notBefore: moment('when the secret begins to count'),
  expires: moment('when it ends')
})

const RobotNode = mapping({
  name: text({
    pattern: ROBOT_NAME_FORM,
    description: "the robot's name",
    expected: 'a name of lower-case letters, digits, ".", "_" and "-", at most 63'
  }),
  secrets: list(SecretNode, {
    minItems: 1,
    maxItems: 2,
    description: 'one secret, or two while one takes the place of the other',
    expected: 'a list of one or two secrets'
  })
}, { expected: 'a robot with name and secrets' }, common)

export const AccountsSchema = mapping({}, { title: 'chartgate accounts' }, {
  users: list(UserNode, { description: 'people', expected: 'a list of users' }),
  robots: list(RobotNode, { description: 'programs', expected: 'a list of robots' })
})

export type AccountsFile = Fitting<typeof AccountsSchema>
