// How does the result of reading a large file come from one thread to another? In pieces:
// to take over 10,000 rules at once would keep everybody waiting as long as a slow request.
import type { FileAccounts } from '../identity/sources/accounts-file.ts'
import type { ConfigResult } from './load.ts'
import type { Config } from './schema.ts'

export type Result = ConfigResult | FileAccounts

type Lists = Partial<Pick<FileAccounts, 'users' | 'robots'> & Pick<Config, 'policy'>>

export type Piece =
  | { /** without its long lists */ readonly kind: 'rest', readonly rest: Result }
  | { readonly kind: 'items', readonly list: keyof Lists, readonly items: readonly unknown[] }

/** Of a list. */
const PIECES_AT_ONCE = 200

/** A result in pieces, the first of which has everything but its long lists. */
export function * piecesOf (result: Result): Generator<Piece> {
  yield { kind: 'rest', rest: withLists(result, {}) }
  for (const [list, items] of Object.entries(listsOf(result)) as [keyof Lists, readonly unknown[]][]) {
    for (let i = 0; i < items.length; i += PIECES_AT_ONCE) {
      yield { kind: 'items', list, items: items.slice(i, i + PIECES_AT_ONCE) }
    }
  }
}

/** Puts pieces together again, in the order in which they were made. */
export function createCollector (): { add (piece: Piece): void, result (): Result } {
  let rest: Result | undefined
  const lists: Record<string, unknown[]> = {}
  return {
    add (piece) {
      if (piece.kind === 'rest') rest = piece.rest
      else (lists[piece.list] ??= []).push(...piece.items)
    },
    result: () => withLists(rest as Result, lists as Lists)
  }
}

function listsOf (result: Result): Lists {
  if ('users' in result) return { users: result.users, robots: result.robots }
  return result.ok ? { policy: result.config.policy } : {}
}

function withLists (result: Result, { users = [], robots = [], policy = [] }: Lists): Result {
  if ('users' in result) return { ...result, users, robots }
  return result.ok ? { ...result, config: { ...result.config, policy } } : result
}
