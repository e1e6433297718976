// The keys of the registry: the same charts, for OCI clients.
import { flag, flagOr, mapping } from '../../files/nodes.ts'

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
  })
})
