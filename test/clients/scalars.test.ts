// Is a plain scalar what Go takes it for? The reader of YAML that Helm and ChartMuseum
// have (test/clients/scalars) is asked thousands, in the words that numbers are made of.
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import t from 'tap'
import { goScalarText, resolveGoScalar, type GoScalar } from '../../src/lib/go-scalars.ts'
import { BUILD_LIMIT, goTool } from '../helpers/go-tool.ts'
import { notTried } from '../helpers/not-tried.ts'

const PIECES = [...'0123456789_.+-eExXoObBaAfFpP', '0x', '0b', '0o', '0_x', '0b-', '0b+', '-0x', '1e', '.5', '00', '7fffffffffffffff', '9223372036854775807', '9223372036854775808', '18446744073709551615', '1e30', 'inf', 'nan', 'true', 'y', 'n', 'null', '~', '2001-01-01']
const RANDOM = 20_000

function kindOf (value: GoScalar): string {
  switch (typeof value) {
    case 'boolean': return 'bool'
    case 'number': return 'float64'
    case 'bigint': return value < 2n ** 63n ? 'int' : 'uint64'
    case 'string': return 'string'
    default: return '<nil>'
  }
}

/** Nothing that the structure of YAML would make something else of. */
function isPlain (scalar: string): boolean {
  return !/^(?:-|-{3}|\.{3})$/.test(scalar)
}

t.setTimeout(BUILD_LIMIT)
const tool = await goTool('scalars')
if (!tool.ok) await notTried(t, "Go's reader of YAML", tool.reason)
else {
  await t.test('whatever a plain scalar is to Go, it is here', async t => {
    const short = PIECES.flatMap(a => [a, ...PIECES.map(b => a + b)])
    const random = fc.sample(fc.array(fc.constantFrom(...PIECES), { minLength: 2, maxLength: 8 }).map(pieces => pieces.join('')), { numRuns: RANDOM, seed: 43 })
    const floats = fc.sample(fc.float({ noNaN: true, noDefaultInfinity: true }).map(String), { numRuns: RANDOM, seed: 43 })
    const asked = [...new Set([...short, ...random, ...floats])].filter(isPlain)
    const go = spawn(tool.path, { stdio: ['pipe', 'pipe', 'inherit'] })
    go.stdin.end(asked.map(scalar => `${JSON.stringify(scalar)}\n`).join(''))
    const answers = (await text(go.stdout)).trimEnd().split('\n').map(line => JSON.parse(line) as [kind: string, text: string])
    t.equal(answers.length, asked.length)
    const differences = asked.flatMap((scalar, i) => {
      const value = resolveGoScalar(scalar)
      const ours = [kindOf(value), value === null ? '' : goScalarText(value)]
      return String(ours) === String(answers[i]) ? [] : [`${scalar}: ${String(answers[i])} to Go, ${String(ours)} here`]
    })
    t.same(differences, [])
  })
}
