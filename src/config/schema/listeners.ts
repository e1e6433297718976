// The keys of the three listeners: for clients, for probes and metrics, and for proxies that ask.
import { flag, list, mapping, oneOf } from '../../files/nodes.ts'
import { MIN_VERSIONS } from '../../tls/material.ts'
import { DIALECTS } from '../../words/dialects.ts'
import { count, file, port, value } from './kinds.ts'

export const listen = mapping({
  host: value('address of the public listener; localhost is 127.0.0.1', '127.0.0.1', { minLength: 1 }),
  port: port('port of the public listener', 5001),
  maxConnections: count('connections that may be open; more are closed as they come', 8_192),
  maxConnectionsPerAddress: count(
    'the same from one address (IPv6: one /64); not of trustedProxies, which bring everybody\'s',
    2_048
  ),
  tls: mapping({
    cert: file('its certificate in PEM, and behind it those that lead to an authority; left out: plain HTTP'),
    key: file('the private key of that certificate in PEM, without a password'),
    minVersion: {
      ...oneOf(MIN_VERSIONS, { description: 'the least version of TLS that it speaks', default: '1.2' }),
      expected: '"1.2" or "1.3", in quotes'
    },
    clientCa: file(
      'certificate authorities in PEM: clients may show a certificate of theirs instead of sending credentials ' +
      '(identity.certificates); left out: none is asked for'
    )
  })
})

export const admin = mapping({
  host: value(
    'address of the admin listener: /healthz (the process answers), /readyz ' +
    '(the chart repository answers too, and nothing is shutting down; else 503) and /metrics',
    '127.0.0.1',
    { minLength: 1 }
  ),
  port: port('port of the admin listener', 5002),
  tls: mapping({
    cert: file('its certificate in PEM, as listen.tls.cert; left out: plain HTTP'),
    key: file('the private key of that certificate in PEM, without a password')
  }),
  token: value(
    'what has to be sent as Bearer for all but /healthz and a plain /readyz; empty: nothing has to be',
    '',
    { secret: true }
  )
})

export const authz = mapping({
  listen: mapping({
    host: value('address of the listener that proxies ask', '127.0.0.1', { minLength: 1 }),
    port: port('its port: they ask whether a request may pass (docs/forward-auth.md); 0: there is none', 0)
  }),
  trustedProxies: list(value('', '', { expected: 'an IP address or CIDR' }), {
    description: 'addresses or CIDRs of the proxies that may ask; everybody else is refused',
    default: [],
    expected: 'a list of IP addresses or CIDRs'
  }),
  dialect: oneOf(['none', ...DIALECTS], {
    description: 'which proxy asks, and so where it says which request it asks about',
    default: 'none'
  }),
  push: flag({
    description: 'lets uploads and deletes pass, into which nobody looks on this way',
    default: false,
    expected: 'true or false'
  })
})
