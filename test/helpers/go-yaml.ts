// YAML as Go reads it, for tests that begin with a text.
import { parseGoYaml, type GoYamlNode, type GoYamlResult } from '../../src/lib/go-yaml-nodes.ts'
import { goYamlText } from '../../src/lib/go-yaml-text.ts'
import { atOnce } from '../../src/lib/steps.ts'

/** Far more than a test has. */
const BOUNDS = { values: 1_000_000, levels: 10_000 }

export function readGo (text: string | Buffer): GoYamlResult | { readonly ok: false, readonly problem: string } {
  const read = goYamlText(Buffer.from(text as string))
  return read.ok ? atOnce(parseGoYaml(read.text, BOUNDS)) : read
}

/** What is in it. @throws for what is none */
export function goNodeOf (text: string): GoYamlNode {
  const read = readGo(text)
  if (!read.ok) throw new Error(read.problem)
  return read.node ?? { kind: 'scalar', text: '', tag: '', isPlain: true }
}
