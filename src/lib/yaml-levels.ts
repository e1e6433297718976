// How deep is a YAML text? Asked of its tokens, before nodes are made of them: that takes a
// piece of the stack for each level, and what happens at the stack's end depends on what
// runs there; a regular expression that is compiled there ends the process. Tokens know
// levels by indentation as well as those by brackets and by dashes in one line.
import type { CST } from 'yaml'

/**
 * The first collection that lies in more than `most` others; undefined when there is none.
 * @param tokens as the library's Parser gives them
 */
export function beyondLevels (tokens: readonly CST.Token[], most: number): CST.Token | undefined {
  const left = tokens.map(token => ({ token, level: 0 })).reverse()
  for (let each = left.pop(); each !== undefined; each = left.pop()) {
    const { token, level } = each
    if (token.type === 'document') {
      if (token.value !== undefined) left.push({ token: token.value, level })
    } else if ('items' in token) {
      if (level > most) return token
      for (const { key, value } of token.items.toReversed()) {
        for (const child of [value, key]) {
          if (child !== null && child !== undefined) left.push({ token: child, level: level + 1 })
        }
      }
    }
  }
  return undefined
}
