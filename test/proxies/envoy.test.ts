// Envoy in front of the built gateway, configured as examples/proxies/envoy.yaml shows.
import t from 'tap'
import { tryProxy } from '../helpers/proxy-scenarios.ts'

const BUFFER = `                  - name: buffer
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer
                      max_request_bytes: 33554432
`

await tryProxy(t, {
  name: 'envoy',
  prefixEdit: ['- match: { prefix: / }', '- match: { prefix: /helm/ }'],
  bufferingEdit: ['http_filters:\n', `http_filters:\n${BUFFER}`],
  away: 503,
  awayBody: /^upstream connect error/,
  second: port => ['          - lb_endpoints:\n', `          - lb_endpoints:\n              - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: ${port} } } }\n`]
})
