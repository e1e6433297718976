// Where the embedded repository answers otherwise than ChartMuseum 0.16.5, on purpose.
// docs/architecture.md shows this table; the conformance suite allows nothing else.

export interface Difference {
  /** What ChartMuseum does, and what this repository does instead. */
  readonly there: string
  readonly here: string
  readonly reason: string
  readonly shownBy: Recorded | Tested
}

export interface Recorded {
  /** Which recorded exchanges. */
  readonly ids: RegExp
  /** The answer that the suite demands here; what is left out is as recorded. */
  readonly expect: { readonly status?: number, readonly contentType?: string | null, readonly body?: string, readonly sha256?: string, /** like the body of GET */ readonly lengthOfGet?: true, readonly challenge?: null }
}

/** No recording shows it, but this test does. */
interface Tested {
  readonly file: string
  readonly test: string
}

const NOT_FOUND = { status: 404, contentType: 'application/json; charset=utf-8', body: '{"error":"not found"}', challenge: null } as const

export const DIFFERENCES: readonly Difference[] = [
  {
    there: 'HEAD has neither type nor length',
    here: 'HEAD has the headers of GET',
    reason: 'RFC 9110 section 9.3.2; a gateway in front can tell a client the length',
    shownBy: { ids: /^(?:index\/head(?:\/empty-tenant)?|api\/chart\/head|api\/version\/head(?:-latest)?)$/, expect: { lengthOfGet: true } }
  },
  {
    there: 'HEAD of files, of a list and of pages is 404',
    here: 'it is answered wherever GET is',
    reason: 'RFC 9110 section 9.1',
    shownBy: { ids: /^(?:health|welcome\/root|chart|api\/charts\/list)\/head$/, expect: { status: 200, lengthOfGet: true } }
  },
  {
    there: '`If-None-Match` and `If-Modified-Since` are ignored',
    here: '304 for who has these bytes: `ETag` is their SHA-256, and a file has `Last-Modified`',
    reason: 'who asks for an index each minute gets it when it has changed',
    shownBy: { ids: /^index\/if-none-match-and-range-ignored$/, expect: { status: 304, contentType: null, body: '' } }
  },
  {
    there: '`Range` is ignored',
    here: '206 with that part of a file, one at a time',
    reason: 'a download that broke off goes on',
    shownBy: { ids: /^chart\/range$/, expect: { status: 206, sha256: '8c7f82a6186db1311d1b462c42930cc68a4dec7656416865edcb24bcc34a2e4c' } }
  },
  {
    there: '`generated` of an index is when it was made',
    here: 'when its newest chart came; in 1970 without one',
    reason: 'an index keeps its bytes, and its `ETag`, over restarts and in each process',
    shownBy: { file: 'test/repository/durability.test.ts', test: 'an index keeps its bytes over a restart and in each process, and says when the newest chart came' }
  },
  {
    there: 'a chart may have any number of subcharts, in any number of levels, and any amount of YAML below 100 MiB',
    here: 'at most 1,000 subcharts in 32 levels, 200 MiB with all archives in it, 16 MiB of YAML with 250,000 nodes in 1,000 levels, of which aliases repeat 1 MiB, a Chart.yaml of 1 MiB and an entry of 512 KiB',
    reason: 'an upload is a stranger\'s, and the largest charts that are published have a hundredth of it',
    shownBy: { file: 'test/repository/loader.test.ts', test: 'what nobody has is not unpacked' }
  },
  {
    there: 'what is wrong with a chart is said with keys, values and names of it as long as they are',
    here: 'it is cut to 500 characters, and a key that is none is named by its kind',
    reason: 'it goes into answers and the log',
    shownBy: { file: 'test/repository/loader.test.ts', test: 'what nobody has is not unpacked' }
  },
  {
    there: 'HEAD of something missing is text',
    here: 'it is the JSON error of GET',
    reason: 'one form of error for everything',
    shownBy: { ids: /^api\/(?:chart|version)\/head-missing$/, expect: { lengthOfGet: true } }
  },
  {
    there: '`/<tenant>/health` and `/<tenant>/info` are open pages',
    here: '404',
    reason: 'an accident of the matcher, and a way around a gateway that authorises by tenant',
    shownBy: { ids: /^(?:health|info)\/tenant-prefixed-open$/, expect: NOT_FOUND }
  },
  {
    there: '`/<tenant>/api/charts…` is a second spelling of the API',
    here: '404',
    reason: 'every route has one spelling',
    shownBy: { ids: /^(?:upload|delete)\/alias-path$/, expect: NOT_FOUND }
  },
  {
    there: 'empty and dot segments, and junk behind the context path, name tenants',
    here: '404',
    reason: 'a tenant has one name, and no name leads out of its folder',
    shownBy: { ids: /^unknown\/v2|^unknown\/dot-segments$|^dynamic\/dot-segments$|^context-path\/index-junk-after-prefix$/, expect: NOT_FOUND }
  },
  {
    there: 'deleting something missing answers with the path on the disk',
    here: '`object not found`',
    reason: 'an error never names a file path',
    shownBy: { ids: /^delete\/(?:again|missing-chart|latest)$/, expect: { body: '{"error":"object not found"}' } }
  },
  {
    there: 'a token may lack an end (`exp`), be signed with any RS or PS algorithm, come without a scheme, and have `actions` as a text; one without a list in `access` is a 500',
    here: 'only RS256 with `Bearer`, `exp` and a list of rights counts; anything else is 401',
    reason: 'a token is checked strictly: the gateway sends no other',
    shownBy: { file: 'test/repository/edges.test.ts', test: 'a token counts only when it is one of RS256 with an end and a list of rights' }
  },
  {
    there: 'a full disk is a 500 with the path of the file',
    here: '507 `no space left for charts`',
    reason: 'a client can tell it from a fault, and an error never names a file path',
    shownBy: { file: 'test/repository/durability.test.ts', test: 'a full disk is 507, and nothing is lost' }
  },
  {
    there: 'any `X-Request-Id` is echoed',
    here: 'one of more than 128 bytes, or that is not printable ASCII, is replaced',
    reason: 'it goes into the log',
    shownBy: { file: 'test/repository/edges.test.ts', test: 'requests at the edges' }
  },
  {
    there: 'a provenance file is named after its text: with quotes, comments and carriage returns',
    here: 'after what it says',
    reason: 'nobody would look for it elsewhere than beside its chart',
    shownBy: { file: 'test/repository/loader.test.ts', test: 'what was signed with a chart is named after it' }
  },
  {
    there: 'a provenance file may be as large as an upload',
    here: 'of more than 1 MiB it is none',
    reason: 'its text is read whole',
    shownBy: { file: 'test/repository/edges.test.ts', test: 'a provenance file of more than a mebibyte is none' }
  },
  {
    there: 'deleting `foo-1` `1.0` removes the file of `foo` `1-1.0`, which has the same name',
    here: '404, which names what is in it',
    reason: 'what was not named stays',
    shownBy: { file: 'test/repository/durability.test.ts', test: 'two charts that share a file name do not mix' }
  },
  {
    there: 'a tenant may be named like one of its files (`x-1.0.0.tgz`, `index-cache.yaml`)',
    here: '404',
    reason: 'it would lie in the place of another tenant\'s file',
    shownBy: { file: 'test/regressions/42-files-that-name-tenants.test.ts', test: 'what is named like a file is no tenant, in paths and in scopes' }
  }
]

/** The table in docs/architecture.md. */
export function differencesTable (): string {
  const rows = DIFFERENCES.map(({ there, here, reason }) => [there, here, reason])
  return [['ChartMuseum 0.16.5', 'the embedded repository', 'why'], ['---', '---', '---'], ...rows].map(cells => `| ${cells.join(' | ')} |\n`).join('')
}
