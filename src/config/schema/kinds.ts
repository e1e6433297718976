// Kinds of values that keys of the configuration have.
import { integer, text, type Node, type SchemaNode } from '../../files/nodes.ts'
import { SIZE_FORM } from '../../files/units.ts'
import { ROBOT_NAME_FORM } from '../../words/subject.ts'

export const port = (description: string, fallback: number): Node<number> => integer({
  description,
  default: fallback,
  minimum: 0,
  maximum: 65535,
  expected: 'a port number'
})
export const count = (description: string, fallback: number): Node<number> => integer({
  description,
  default: fallback,
  minimum: 1,
  maximum: 1_000_000,
  expected: 'a whole number from 1 to 1000000'
})
export const value = (description: string, fallback: string, more: SchemaNode = {}): Node<string> =>
  text({ description, default: fallback, expected: 'a text', ...more })
export const size = (description: string, fallback: string): Node<string> =>
  value(description, fallback, { pattern: SIZE_FORM, expected: 'a size such as 20MiB' })
/** @param option ChartMuseum's */
export const formField = (of: string, option: string, fallback: string): Node<string> =>
  value(`the input of a form that holds ${of}, as ChartMuseum's \`${option}\``, fallback, {
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
    expected: 'a name such as package'
  })

export const file = (description: string): Node<string> => value(description, '', { expected: 'a file' })

export const line = (description: string): Node<string> => text({ minLength: 1, description, expected: 'a text' })
/** @param of the subjects in which it stands */
export const nameIn = (of: string): Node<string> => text({
  pattern: ROBOT_NAME_FORM,
  description: `stands in subjects: ${of}`,
  expected: 'a name of lower-case letters, digits, ".", "_" and "-"'
})
