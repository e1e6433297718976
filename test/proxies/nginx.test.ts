// nginx in front of the built gateway, configured as examples/proxies/nginx.conf shows.
import t from 'tap'
import { tryProxy } from '../helpers/proxy-scenarios.ts'

await tryProxy(t, {
  name: 'nginx',
  prefixEdit: ['location / {', 'location /helm/ {'],
  bufferingEdit: ['proxy_request_buffering off', 'proxy_request_buffering on'],
  away: 502,
  awayBody: /<html>/i,
  second: port => ['  server 127.0.0.1:5001;', `  server 127.0.0.1:${port};\n  server 127.0.0.1:5001;`]
})
