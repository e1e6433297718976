// Which headers does the code read? Found in the sources, so that a new one cannot be
// forgotten; a lint rule (eslint.config.js) sees to it that each is read by its name.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { ROOT } from '../../helpers/processes.ts'

/** The names of all headers that something in src/ and plugins/ looks at, in order. */
export function headersRead (): string[] {
  const names = new Set<string>()
  for (const folder of ['src', 'plugins']) {
    for (const file of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue
      const source = readFileSync(join(ROOT, folder, file), 'utf8')
      if (!/headers/i.test(source)) continue // to parse all takes seconds
      for (const name of headersIn(source)) names.add(name)
    }
  }
  return [...names].sort()
}

/** The same of one source text. */
export function headersIn (source: string): string[] {
  const names: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isElementAccessExpression(node) && areHeaders(node.expression) && ts.isStringLiteralLike(node.argumentExpression)) names.push(node.argumentExpression.text)
    else if (ts.isPropertyAccessExpression(node) && areHeaders(node.expression)) names.push(node.name.text)
    else if (ts.isObjectBindingPattern(node) && takesHeadersApart(node.parent)) names.push(...node.elements.map(nameOf))
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('x.ts', source, ts.ScriptTarget.Latest, true))
  return names
}

/** `headers`, `request.headers`. */
function areHeaders (node: ts.Expression): boolean {
  if (ts.isNonNullExpression(node) || ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) return areHeaders(node.expression)
  return /^(?:\w+H|h)eaders$/.test(ts.isPropertyAccessExpression(node) ? node.name.text : ts.isIdentifier(node) ? node.text : '') && !/rawHeaders$/.test(node.getText())
}

/** `const { x } = request.headers`, `({ headers: { x } }) =>`, `({ x }: IncomingHttpHeaders) =>`. */
function takesHeadersApart (node: ts.Node): boolean {
  if (ts.isVariableDeclaration(node) && node.initializer !== undefined && areHeaders(node.initializer)) return true
  if (ts.isBindingElement(node)) return node.propertyName?.getText() === 'headers'
  return (ts.isParameter(node) || ts.isVariableDeclaration(node)) && node.type?.getText().includes('HttpHeaders') === true
}

function nameOf ({ propertyName, name }: ts.BindingElement): string {
  const named = propertyName ?? name
  return ts.isStringLiteralLike(named) ? named.text : named.getText()
}
