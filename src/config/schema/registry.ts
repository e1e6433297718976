// The keys of the registry: the same charts, for OCI clients.
import { flag, flagOr, integer, mapping } from '../../files/nodes.ts'
import { size } from './kinds.ts'

export const oci = mapping({
  enabled: flagOr('auto', {
    description: 'charts are also pushed and pulled with oci://, at /v2/; ' +
      'auto: unless publicUrl has a path, where clients would not find it',
    default: 'auto'
  }),
  atRoot: flag({
    description: 'with a path in publicUrl: whatever is in front sends /v2/ here too, which for OCI clients is at ' +
      'the root of the host always',
    default: false,
    expected: 'true or false'
  }),
  attachments: mapping({
    perChart: integer({
      description: 'how many signatures, attestations and SBOMs a chart may have, of all its versions together; ' +
        '0: none are taken',
      default: 1_000,
      minimum: 0,
      maximum: 1_000_000,
      expected: 'a whole number from 0 to 1000000'
    }),
    maxBytes: size('how much of the disk of stateDir those of a tenant may have, of all its charts together', '256MiB')
  })
})
