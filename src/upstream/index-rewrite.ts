// What does an index say to clients of this gateway? The upstream's bytes, with two things
// put right: links that lead here (index-links.ts), and `serverInfo.contextPath`, from
// which cm-push makes the address that it pushes to. A version without a link that leads
// here is left out, and said. Nothing else is touched, and no key is added: Helm parses an
// index strictly (helm/helm v3.21.4, pkg/repo/index.go, loadIndex).
import { rewriteBlocks, type Rewritten } from './index-blocks.ts'
import { rewriteDocument } from './index-document.ts'
import { rewriteJson } from './index-json.ts'
import type { IndexPlace } from './index-links.ts'
import { NoIndex } from './index-values.ts'
import type { LeftOut } from './left-out.ts'

export type RewriteResult =
  | { readonly ok: true, readonly body: Buffer, /** for a warning each */ readonly leftOut: readonly LeftOut[] }
  | { readonly ok: false, /** for the log */ readonly cause: string }

/** @param raw an answer 200 to a request for index.yaml */
export function rewriteIndex (raw: Buffer, place: IndexPlace): RewriteResult {
  try {
    const text = raw.toString('utf8')
    const rewritten = rewrite(text, place)
    return { ok: true, body: rewritten.text === text ? raw : Buffer.from(rewritten.text), leftOut: rewritten.leftOut }
  } catch (error) {
    if (error instanceof NoIndex) return { ok: false, cause: error.message }
    return { ok: false, cause: 'what the upstream calls its index.yaml is not YAML' }
  }
}

function rewrite (text: string, place: IndexPlace): Rewritten {
  return text.startsWith('{') ? rewriteJson(text, place) : rewriteBlocks(text, place) ?? rewriteDocument(text, place)
}
