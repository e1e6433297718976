// Does every reader of a JSON text find the same in it? Of a key that is there twice one takes
// the first and another one the last, and Go takes `Layers` for `layers` (encoding/json,
// Unmarshal: "preferring an exact match but also accepting a case-insensitive match").

interface OpenObject {
  readonly keys: Set<string>
  /** What comes next is a key. */
  isBefore: boolean
}

/**
 * True when an object in it has two keys that are the same to some reader.
 * @param text which JSON.parse takes
 */
export function hasRivalKeys (text: string): boolean {
  const open: (OpenObject | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    const inside = open.at(-1)
    switch (text[at]) {
      case '{':
        open.push({ keys: new Set(), isBefore: true })
        break
      case '[':
        open.push(undefined)
        break
      case '}':
      case ']':
        open.pop()
        break
      case ',':
        if (inside !== undefined) inside.isBefore = true
        break
      case '"': {
        const end = endOfString(text, at)
        if (inside?.isBefore === true) {
          const key = folded(JSON.parse(text.slice(at, end)) as string)
          if (inside.keys.has(key)) return true
          inside.keys.add(key)
          inside.isBefore = false
        }
        at = end - 1
        break
      }
      default: break // blanks, numbers and words
    }
  }
  return false
}

/** Where the string that begins there ends. */
function endOfString (text: string, begin: number): number {
  let at = begin + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

/** The same for two that Go takes for one: the long s is an S to it, and the Kelvin sign a K. */
function folded (key: string): string {
  return key.toUpperCase().toLowerCase()
}
