import t from 'tap'
import { errorForLog } from '../../src/observe/log-error.ts'

await t.test('an error is told by its name, message, code, stack and causes, and by nothing else that hangs on it', t => {
  const cause = Object.assign(new TypeError('inside'), { data: 'secret', headers: { authorization: 'secret' } })
  const error = Object.assign(new Error('outside', { cause }), { code: 'E_X', status: 5, socket: { secret: 'secret' } })
  t.strictSame(errorForLog(error), { type: 'Error', message: 'outside', code: 'E_X', stack: error.stack, cause: { type: 'TypeError', message: 'inside', stack: cause.stack } })
  t.end()
})

await t.test('what is no error is a sentence or nothing', t => {
  for (const [error, told] of [['the upstream answered 404', 'the upstream answered 404'], [5, undefined], [{ secret: 'secret' }, undefined], [null, undefined], [undefined, undefined]]) t.equal(errorForLog(error), told)
  const bare = new Error('x', { cause: { secret: 'secret' } })
  delete bare.stack
  t.strictSame(errorForLog(Object.assign(bare, { code: 5 })), { type: 'Error', message: 'x', cause: undefined })
  t.end()
})

await t.test('causes that go round in a circle end', t => {
  const error = new Error('x')
  error.cause = error
  t.equal(JSON.stringify(errorForLog(error)).match(/"message":"x"/g)?.length, 6)
  t.end()
})
