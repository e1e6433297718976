// What became of an upload, in the words of whoever pushes.
import t from 'tap'
import { UPLOAD_OUTCOMES, uploadOutcome } from '../../src/metrics/uploads.ts'

await t.test('every way in which an upload ends has its word', async t => {
  const ways = [
    ['push', 'success', 'none', 'stored'], ['overwrite', 'success', 'none', 'overwritten'], ['push', 'refused', 'already_stored', 'identical'],
    ['push', 'refused', 'chart_exists', 'exists'], ['push', 'refused', 'invalid_upload', 'invalid'], ['push', 'refused', 'body_too_large', 'too_large'],
    ['push', 'failed', 'spool_full', 'no_room'], ['push', 'refused', 'missing_right', 'denied'], ['push', 'refused', 'bad_password', 'denied'],
    ['push', 'aborted', 'none', 'aborted'], ['push', 'dropped', 'none', 'aborted'], ['push', 'refused', 'bad_request', 'refused'], ['push', 'failed', 'upstream_timeout', 'failed']
  ] as const
  for (const [action, ending, reason, expected] of ways) t.equal(uploadOutcome(action, ending, reason), expected, `${action} ${ending} ${reason}`)
  t.same([...new Set(ways.map(([,,, word]) => word))].sort(), [...UPLOAD_OUTCOMES].sort(), 'and each word is one of these')
})
