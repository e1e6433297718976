// The keys of the chart repository: how it is asked, and what is done with its charts.
import { flag, integerOr, list, mapping, oneOf } from '../../files/nodes.ts'
import { DURATION_FORM } from '../../files/units.ts'
import { file, formField, size, value } from './kinds.ts'

/** Each has its series (metrics/table.ts). */
export const MOST_ADDRESSES = 8

export const upstream = mapping({
  url: value(
    'the chart repository, for example http://chartmuseum:8080; left out: the embedded repository',
    '',
    { expected: 'an http or https URL without path (charts.contextPath is for the path)' }
  ),
  urls: list(value('', '', { expected: 'an http or https URL without path' }), {
    default: [],
    maxItems: MOST_ADDRESSES,
    expected: `a list of at most ${MOST_ADDRESSES} URLs`,
    description: 'in place of `url`: several addresses of one chart repository, which have one storage. Changes go ' +
      'to the first; while it is away, reads go to another one that has shown the last changes at once, which ' +
      'ChartMuseum does when it is run with `--always-regenerate-chart-index` or shares the cache of the first'
  }),
  auth: oneOf(['none', 'basic', 'bearer'], {
    description: 'how the repository is asked: ' +
      '`bearer` mints a token for one tenant and one action with the upstream key',
    default: 'bearer'
  }),
  username: value('for `basic`', ''),
  password: value('for `basic`', '', { secret: true }),
  key: mapping({
    file: value(
      'for `bearer`: a private key of your own in PEM (RSA, 2048 bits and more), for several chartgates in front ' +
      'of one ChartMuseum; left out: stateDir/keys/upstream.pem, which is made at the first start',
      '',
      { expected: 'a file' }
    )
  }),
  tls: mapping({
    ca: file('certificate authorities in PEM that its certificate has to be of; left out: those that Node.js knows'),
    cert: file('a certificate in PEM to show it'),
    key: file('the private key of that certificate in PEM, without a password'),
    serverName: value('the name that its certificate has to be for; left out: the host in upstream.url', '', {
      pattern: '^[A-Za-z0-9._-]*$',
      expected: 'the name of a host'
    })
  })
})

export const charts = mapping({
  depth: integerOr('dynamic', { minimum: 0, maximum: 10 }, {
    default: 2,
    description: 'how many path segments name a tenant, as ChartMuseum is run: 0, 1, 2, … or dynamic'
  }),
  contextPath: value("the upstream's own context path", '', {
    pattern: '^(/[A-Za-z0-9][A-Za-z0-9._-]*)*$',
    expected: 'a path such as /charts, or nothing'
  }),
  maxUploadSize: size("largest upload; not above ChartMuseum's own limit", '20MiB'),
  allowOverwrite: flag({
    description: 'ChartMuseum is run with `--allow-overwrite`: pushes are 503 while redis.url cannot be reached, ' +
      'because it would not refuse a version that two replicas store at once',
    default: false,
    expected: 'true or false'
  }),
  chartPostFormFieldName: formField('the chart', '--chart-post-form-field-name', 'chart'),
  provPostFormFieldName: formField("a chart's provenance", '--prov-post-form-field-name', 'prov'),
  spool: mapping({
    maxBytes: size(
      'room for uploads that are inspected or wait for the tag of their push, in stateDir/spool, shared out to workers',
      '1GiB'
    )
  }),
  index: mapping({
    maxAge: value('how long an index is answered from memory; 0s: every answer is of after its request', '0s', {
      pattern: `^0s$|${DURATION_FORM}`,
      expected: 'a duration such as 1s, or 0s'
    }),
    maxBytes: size('memory for indexes in each worker, and so the largest index.yaml that is read', '256MiB')
  })
})
