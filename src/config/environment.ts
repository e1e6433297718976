// Which values come from the environment? Every scalar has a variable named after its
// path, every secret also one that names a file (…_FILE), as container platforms
// mount them. A variable that is set to nothing counts as not set; a file that is empty does not.
import { resolve } from 'node:path'
import { readText } from '../files/files.ts'
import { nearest } from '../files/mistakes.ts'
import { leaves, type SchemaNode } from '../files/nodes.ts'
import { isOfKubelet } from './kubelet.ts'
import { ConfigSchema, variableOf } from './schema.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface FromEnvironment {
  readonly values: readonly { readonly path: readonly string[], readonly value: unknown, readonly variable: string }[]
  readonly mistakes: readonly string[]
  /** Those that …_FILE variables name; absolute. */
  readonly files: readonly string[]
  /** A file could not be read, and another try may do. */
  readonly again: boolean
}

/**
 * Reads the CHARTGATE_* variables; one that names no key is a mistake.
 * @param folder what relative paths of …_FILE variables are relative to, as all paths of
 * the configuration are: the folder of its file, or the working directory without one
 * @param read how such a file is read
 */
export async function readEnvironment (
  given: Environment,
  folder: string,
  read = readText
): Promise<FromEnvironment> {
  const env: Environment = Object.fromEntries(Object.entries(given).filter(([name, text]) => {
    return name.startsWith('CHARTGATE_') && text !== undefined && text !== '' && !isOfKubelet(name, text)
  }))
  const values: { path: readonly string[], value: unknown, variable: string }[] = []
  const mistakes: string[] = []
  const files: string[] = []
  let again = false
  const known = new Set(['CHARTGATE_CONFIG'])
  const lists = new Set<string>()
  for (const { path, node } of leaves(ConfigSchema)) {
    const variable = variableOf(path)
    if (node.type === 'array') {
      if (env[variable] !== undefined) {
        mistakes.push(`${variable}: ${path.join('.')} is a list, which only the file can set`)
      }
      lists.add(variable)
      continue
    }
    known.add(variable)
    let source = variable
    let text = env[variable]
    if (node.secret === true) {
      const fileVariable = `${variable}_FILE`
      known.add(fileVariable)
      const file = env[fileVariable]
      if (file !== undefined && text !== undefined) {
        mistakes.push(`${fileVariable}: ${variable} is set too; set one of them`)
      } else if (file !== undefined) {
        source = fileVariable
        const path = resolve(folder, file)
        files.push(path)
        const found = await read(path)
        if (found.ok) text = secretIn(found.text)
        const fault = found.ok ? 'is empty' : 'cannot be read'
        if (text === undefined) mistakes.push(`${fileVariable}: the file ${path} ${fault}`)
        again ||= !found.ok
      }
    }
    if (text !== undefined) values.push({ path, value: convert(text, node), variable: source })
  }
  for (const name of Object.keys(env)) {
    if (known.has(name) || lists.has(name)) continue
    const near = nearest(name, [...known])
    const hint = near === undefined ? '' : `: did you mean ${near}?`
    mistakes.push(`${name}: no key of the configuration has this environment variable${hint}`)
  }
  return { values, mistakes, files, again }
}

/** Undefined when there is none: somebody is writing it, and without it would be open what it shuts. */
function secretIn (text: string): string | undefined {
  const secret = text.replace(/\r?\n$/, '')
  return secret === '' ? undefined : secret
}

/** A variable is always a text; what the key does not take stays one and is reported with its value. */
function convert (text: string, node: SchemaNode): unknown {
  const types = (node.anyOf ?? [node]).map(({ type }) => type)
  if (types.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  return types.includes('integer') && /^\d+$/.test(text) ? Number(text) : text
}
