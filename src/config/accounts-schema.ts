// An accounts file as data: types, validation and the JSON Schema for editors in one.
import Type, { type Static } from 'typebox'
import { NAME_FORM, ROBOT_NAME_FORM } from '../identity/names.ts'

const closed = { additionalProperties: false }
const groups = Type.Optional(Type.Array(Type.String({ pattern: NAME_FORM, expected: "a group's name" }), { description: 'groups that rules can name as group:NAME', expected: 'a list of group names' }))
const disabled = Type.Optional(Type.Boolean({ description: 'true refuses the account and the tokens that were issued to it', expected: 'true or false' }))
/** A day, from its beginning in UTC, or a moment (RFC 3339). */
const MOMENT_FORM = '^\\d{4}-\\d\\d-\\d\\d([Tt ]\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?([Zz]|[+-]\\d\\d:\\d\\d))?$'
const moment = (description: string) => Type.Optional(Type.String({ pattern: MOMENT_FORM, description, expected: 'a day such as 2027-02-01, or a moment such as 2027-02-01T12:00:00Z' }))

const User = Type.Object({
  name: Type.String({ pattern: NAME_FORM, description: "the user's name", expected: 'a name of letters, digits, ".", "_", "@", "+" and "-"' }),
  passwordHash: Type.String({ description: 'argon2id or bcrypt: chartgate hash-password', secret: true, expected: 'an argon2id or bcrypt hash: make one with chartgate hash-password' }),
  groups,
  disabled
}, { ...closed, expected: 'a user with name and passwordHash' })

const Secret = Type.Object({
  hash: Type.String({ pattern: '^sha256:[0-9a-f]{64}$', description: 'SHA-256 of the secret: chartgate robot create', secret: true, expected: 'sha256: and 64 hexadecimal digits, as chartgate robot create prints it' }),
  notBefore: moment('when the secret begins to count'),
  expires: moment('when it ends')
}, { ...closed, expected: 'a secret with its hash' })

const Robot = Type.Object({
  name: Type.String({ pattern: ROBOT_NAME_FORM, description: "the robot's name", expected: 'a name of lower-case letters, digits, ".", "_" and "-", at most 63' }),
  secrets: Type.Array(Secret, { minItems: 1, maxItems: 2, description: 'one secret, or two while one takes the place of the other', expected: 'a list of one or two secrets' }),
  groups,
  disabled
}, { ...closed, expected: 'a robot with name and secrets' })

export const AccountsSchema = Type.Object({
  users: Type.Optional(Type.Array(User, { description: 'people', expected: 'a list of users' })),
  robots: Type.Optional(Type.Array(Robot, { description: 'programs', expected: 'a list of robots' }))
}, { ...closed, $schema: 'http://json-schema.org/draft-07/schema#', title: 'chartgate accounts' })

export type AccountsFile = Static<typeof AccountsSchema>
