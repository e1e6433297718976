// What is told of requests: the log, the audit log and the metrics.
import { flag, mapping, oneOf } from '../../files/nodes.ts'
import { value } from './kinds.ts'

export const log = mapping({
  level: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    description: 'least level that is logged',
    default: 'info'
  }),
  reads: flag({
    description: 'logs allowed reads too, at info; ' +
      'without it refusals (warn) and changes (info) are logged, as far as log.level goes',
    default: false,
    expected: 'true or false'
  })
})

export const audit = mapping({
  file: value(
    'where the audit log is appended to; left out: standard output, one stream with the log',
    '',
    { expected: 'a file' }
  ),
  reads: flag({
    description: 'records allowed reads too; without it refusals and changes are recorded',
    default: false,
    expected: 'true or false'
  }),
  required: flag({
    description: 'a change that cannot be recorded is not made: its intent is on the disk before, ' +
      'and its outcome before the answer; needs audit.file',
    default: false,
    expected: 'true or false'
  })
})

export const metrics = mapping({
  tenants: flag({
    description: 'counts requests of each tenant too: of those in rules without a wildcard and of those that were ' +
      'answered with charts, 1,000 at most',
    default: false,
    expected: 'true or false'
  })
})
