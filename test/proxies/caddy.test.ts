// Caddy in front of the built gateway, configured as examples/proxies/Caddyfile shows.
import t from 'tap'
import { tryProxy } from '../helpers/proxy-scenarios.ts'

await tryProxy(t, {
  name: 'caddy',
  prefixEdit: ['\treverse_proxy 127.0.0.1:5001 {', '\treverse_proxy /helm/* 127.0.0.1:5001 {'],
  bufferingEdit: ['\t\ttransport http {', '\t\tbuffer_requests\n\t\ttransport http {'],
  answersEarlyOnlyBuffered: true,
  away: 502,
  awayBody: /^$/,
  second: port => ['\t\ttransport http {', `\t\tto 127.0.0.1:${port}\n\t\tlb_policy round_robin\n\t\tlb_try_duration 5s\n\t\ttransport http {`]
})
