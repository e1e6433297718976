// How does a large value come from one thread or process to another? In pieces: to take over
// 10,000 accounts at once would keep everybody waiting as long as a slow request.

/** Of plain data; the last piece is the one without its long lists. */
export type Piece =
  | { readonly kind: 'items', /** where their list is */ readonly path: Path, readonly items: readonly unknown[] }
  | { readonly kind: 'rest', readonly rest: unknown }

/** Names and numbers from the outside in. */
type Path = readonly [...(string | number)[], string | number]

/** Items of a list that are in one piece; a list that has no more is not taken apart. */
const ITEMS_AT_ONCE = 200

export function * piecesOf (value: Readonly<Record<string, unknown>>): Generator<Piece> {
  const lists: (readonly [Path, readonly unknown[]])[] = []
  const rest = Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shortened(each, [name], lists)]))
  for (const [path, items] of lists) {
    for (let i = 0; i < items.length; i += ITEMS_AT_ONCE) {
      yield { kind: 'items', path, items: items.slice(i, i + ITEMS_AT_ONCE) }
    }
  }
  yield { kind: 'rest', rest }
}

/** The same with empty lists in the place of long ones. @param lists gets those */
function shortened (value: unknown, path: Path, lists: (readonly [Path, readonly unknown[]])[]): unknown {
  if (Array.isArray(value)) {
    if (value.length <= ITEMS_AT_ONCE) return value.map((each, i) => shortened(each, [...path, i], lists))
    lists.push([path, value])
    return []
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => {
    return [name, shortened(each, [...path, name], lists)]
  }))
}

/** Puts pieces together again: a value with the last of its pieces, and then the next one. */
export function createCollector<T> (): { add (piece: Piece): T | undefined } {
  let lists = new Map<string, readonly [Path, unknown[]]>()
  return {
    add (piece) {
      if (piece.kind === 'items') {
        const { path, items } = piece
        const name = JSON.stringify(path)
        const [, list] = lists.get(name) ?? [path, []]
        lists.set(name, [path, list])
        list.push(...items)
        return undefined
      }
      for (const [path, items] of lists.values()) {
        const place = path.slice(0, -1).reduce<unknown>((outer, name) => (outer as Place)[name], piece.rest) as Place
        place[path.at(-1) as string | number] = items
      }
      lists = new Map()
      return piece.rest as T
    }
  }
}

type Place = Record<string | number, unknown>
