// HAProxy in front of the built gateway, configured as examples/proxies/haproxy.cfg shows.
import t from 'tap'
import { tryProxy } from '../helpers/proxy-scenarios.ts'

await tryProxy(t, {
  name: 'haproxy',
  prefixEdit: ['  default_backend chartgate', '  use_backend chartgate if { path_beg /helm/ }'],
  bufferingEdit: ['backend chartgate\n', 'backend chartgate\n  option http-buffer-request\n'],
  away: 503,
  awayBody: /<html>/i,
  second: port => ['  server chartgate 127.0.0.1:5001', `  option redispatch\n  retry-on conn-failure\n  server two 127.0.0.1:${port}\n  server chartgate 127.0.0.1:5001`]
})
